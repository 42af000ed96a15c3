//! The executor as a subject sees it: virtual time, blocking work, and silenced panics.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crashpoint::Runtime as _;
use crashpoint::protocol::Faithful;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{LifeEnd, Process, Run, SimRuntime, Subject, What, explore};
use expect_test::{Expect, expect};
use futures_util::future::{BoxFuture, join};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};

use crate::support::{budget, calm, within};
use crate::workloads::named;

/// Set in the child process.
const CHILD: &str = "CRASHPOINT_SIMULATOR_CHILD";

/// The notes of a script.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn add(&self, note: impl Into<String>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(note.into());
    }
}

type Script = fn(SimRuntime, Notes) -> BoxFuture<'static, ()>;

/// A subject whose first life is a script, and whose later lives do nothing.
struct Scripted(Script, Notes);

impl Subject for Scripted {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let script = (self.0)(process.runtime(), self.1.clone());
        script.map(|()| LifeEnd::Done("end".to_owned())).boxed()
    }

    fn resume(&self, _: &Process) -> BoxFuture<'static, LifeEnd> {
        async { LifeEnd::Done("end".to_owned()) }.boxed()
    }
}

fn scripted(script: Script, notes: &Notes) -> Workload {
    let notes = notes.clone();
    let mut workload = named("linear", Faithful);
    workload.subject = Box::new(move || Arc::new(Scripted(script, notes.clone())));
    workload
}

fn check(script: Script, expected: &Expect) -> Run {
    let notes = Notes::default();
    let run = calm(&scripted(script, &notes));
    let notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    expected.assert_eq(&notes.join("\n"));
    run
}

#[test]
fn time_passes_only_when_everything_sleeps_and_then_at_once() {
    check(
        |runtime, notes| {
            async move {
                let at = |what: &str| notes.add(format!("{what} at {:?}", runtime.now()));
                at("begun");
                let hour = async {
                    runtime.sleep(Duration::from_secs(3600)).await;
                    at("an hour");
                };
                let minute = async {
                    runtime.sleep(Duration::from_secs(60)).await;
                    at("a minute");
                };
                join(hour, minute).await;
                runtime.sleep(Duration::ZERO).await;
                at("no time");
                let ms = runtime.unix_ms();
                notes.add(format!(
                    "{} ms since the year began",
                    ms - 1_767_225_600_000
                ));
                drop(runtime.sleep(Duration::from_secs(7200)));
                runtime.sleep(Duration::from_secs(1)).await;
                at("a sleep that was dropped");
            }
            .boxed()
        },
        &expect![[r#"
            begun at 0ns
            a minute at 60s
            an hour at 3600s
            no time at 3600s
            3600000 ms since the year began
            a sleep that was dropped at 3601s"#]],
    );
}

#[test]
fn sleeps_that_are_over_together_end_in_the_order_in_which_they_began() {
    check(
        |runtime, notes| {
            async move {
                // Each is polled only when its own sleep has woken it.
                let sleeps: FuturesUnordered<_> = ["first", "second", "third"]
                    .map(|name| {
                        let sleep = runtime.sleep(Duration::from_millis(5));
                        sleep.map(move |()| name)
                    })
                    .into_iter()
                    .collect();
                sleeps.for_each(async |name| notes.add(name)).await;
            }
            .boxed()
        },
        &expect![[r#"
            first
            second
            third"#]],
    );
}

#[test]
fn blocking_work_is_done_before_its_future_completes() {
    check(
        |runtime, notes| {
            async move {
                let work = notes.clone();
                let work = Box::new(move || work.add("blocking work"));
                let working = runtime.blocking(work);
                notes.add("nothing is done before it is polled");
                working.await;
                notes.add("and after it");
            }
            .boxed()
        },
        &expect![[r#"
            nothing is done before it is polled
            blocking work
            and after it"#]],
    );
}

#[test]
fn entropy_never_repeats_in_a_simulation_and_is_the_same_in_the_next() {
    let script: Script = |runtime, notes| {
        async move {
            let drawn: std::collections::BTreeSet<_> =
                (0..100).map(|_| runtime.entropy()).collect();
            notes.add(format!("{} of 100, {:?}", drawn.len(), drawn.first()));
        }
        .boxed()
    };
    let expected = expect!["100 of 100, Some([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])"];
    check(script, &expected);
    check(script, &expected);
}

#[test]
fn a_life_that_waits_for_nothing_is_stalled_and_one_that_panics_is_a_bug() {
    let stalled = check(|_, _| std::future::pending().boxed(), &expect![""]);
    assert!(stalled.history.0.iter().any(|it| it.what == What::Stalled));
    let panicked = check(
        |_, _| async { panic!("a bug of the engine's") }.boxed(),
        &expect![""],
    );
    let bug = What::Panicked("a bug of the engine's".to_owned());
    assert!(panicked.history.0.iter().any(|it| it.what == bug));
    let workload = named("linear", Faithful);
    for (run, oracle) in [(stalled, "no-hangs"), (panicked, "no-panics")] {
        let verdicts = judge(&workload, &run);
        assert!(verdicts.iter().any(|it| it.oracle == oracle), "{oracle}");
    }
}

#[test]
fn a_panic_of_a_task_prints_nothing_and_any_other_panic_is_reported() {
    if std::env::var_os(CHILD).is_some() {
        let findings = explore(&named("order-panics", Faithful), &within(budget("c1")));
        assert!(findings.schedules > 1);
        panic!("the control");
    }
    let binary = std::env::current_exe().expect("the test has a binary");
    let output = Command::new(binary)
        .args([
            "--exact",
            "executor::a_panic_of_a_task_prints_nothing_and_any_other_panic_is_reported",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the binary runs again");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the control"), "{stderr}");
    assert!(!stderr.contains("label printer"), "{stderr}");
    assert_eq!(stderr.matches("panicked at").count(), 1, "{stderr}");
}
