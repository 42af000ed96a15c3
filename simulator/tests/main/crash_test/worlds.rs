//! Nondeterminism that reaches the world of the test alone, and tasks that wait outside of the simulation.
//! Each mistake has a twin without it, which passes.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::ready;
use std::hash::{BuildHasher as _, RandomState};
#[cfg(target_os = "linux")]
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{Ctx, TaskError};
use crashpoint_simulator::{CrashTest, Process, crash_test, crash_test_in};
use expect_test::expect;

use super::{Mail, failure, first_line, mail_workflow};

/// What a mail server has got.
type Server<T> = Mutex<Vec<T>>;

/// A crash test of a task that puts something into its world, where it decides nothing.
fn putting<T: Debug + Clone + Send + 'static>(
    what: impl Fn(&Ctx) -> T + Clone + Send + Sync + 'static,
) -> CrashTest<Mail, Server<T>> {
    let world = || Mutex::new(Vec::new());
    let workflow = move |_: &Process, server: &Arc<Server<T>>| {
        let (server, what) = (Arc::clone(server), what.clone());
        let send = move |ctx: Ctx| {
            let put = what(&ctx);
            server.lock().expect("nobody panicked with it").push(put);
            ready(Ok::<_, TaskError>(Mail::Sent))
        };
        mail_workflow(send)
    };
    crash_test_in(world, Mail::Send, &(), workflow)
}

#[track_caller]
fn check_found<T: Debug + Clone + Send + 'static>(test: CrashTest<Mail, Server<T>>) {
    let failure = failure(|| test.show_world().run());
    let expected = "the workflow is not deterministic: ";
    assert!(failure.starts_with(expected), "{failure}");
    assert!(failure.contains("\n  first  world "), "{failure}");
}

/// A number that differs in each run, as a random id does.
fn drawn_by_the_system() -> u64 {
    RandomState::new().hash_one(0)
}

#[test]
fn what_the_system_draws_is_found_in_the_world_alone() {
    check_found(putting(|_| drawn_by_the_system()));
    putting(Ctx::idempotency_key).show_world().run();
}

#[test]
#[expect(clippy::disallowed_types, reason = "to see that its order is found")]
fn the_order_of_a_set_is_found_in_the_world_alone() {
    let addresses = |_: &Ctx| {
        let set: std::collections::HashSet<u32> = (0..100).collect();
        set.into_iter().collect::<Vec<_>>()
    };
    check_found(putting(addresses));
    let sorted = |_: &Ctx| (0..100).collect::<BTreeSet<u32>>();
    putting(sorted).show_world().run();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "to see that it is found")]
fn a_date_is_found_in_the_world_alone() {
    check_found(putting(|_| std::time::SystemTime::now()));
    putting(Ctx::unix_ms).show_world().run();
}

#[test]
fn a_counter_outside_of_the_world_is_found_in_the_world_alone() {
    let count = Arc::new(AtomicU64::new(0));
    check_found(putting(move |_| count.fetch_add(1, Ordering::Relaxed)));
}

/// A fingerprint says what makes a difference, so it is compared without anything else.
#[test]
fn a_fingerprint_is_compared_without_showing_the_world() {
    let all = |server: &Server<u64>| server.lock().expect("nobody panicked with it").clone();
    let copy = move |server: &Server<u64>| Mutex::new(all(server));
    let drawn = putting(|_| drawn_by_the_system()).fingerprint(all, copy);
    let first = first_line(|| drawn.run());
    assert!(
        first.starts_with("the workflow is not deterministic"),
        "{first}"
    );
    putting(Ctx::fencing_token).fingerprint(all, copy).run();
}

#[test]
fn a_failure_shows_the_world() {
    let broken = putting(Ctx::fencing_token).show_world();
    let broken = broken.invariant("nothing is sent", |_, _| Err("a mail was sent"));
    let failure = failure(|| broken.run());
    let (_, world) = failure.split_once("\nworld\n").expect("it is shown");
    let (world, _) = world.split_once("\n\n").expect("something follows");
    expect![[r#"
        world
          Mutex {
              data: [
                  0,
              ],
              poisoned: false,
              ..
          }"#]]
    .assert_eq(&format!("world\n{world}"));
}

// ---- coverage ----

/// A task that has an effect only in every second schedule: an instant is passed once, and is not there when
/// the schedule is to crash at it.
#[test]
fn points_that_cannot_be_reached_again_are_called_nondeterminism() {
    let runs = Arc::new(AtomicU64::new(0));
    let test = crash_test(Mail::Send, &(), move |process| {
        let (process, runs) = (process.clone(), Arc::clone(&runs));
        let send = move |ctx: Ctx| {
            let (process, run) = (process.clone(), runs.fetch_add(1, Ordering::Relaxed));
            async move {
                if run > 3 && run % 2 == 0 {
                    process.effect(&ctx, "send", "").await;
                }
                Ok::<_, TaskError>(Mail::Sent)
            }
        };
        mail_workflow(send)
    });
    let first = first_line(|| test.crashes(1).run());
    assert!(
        first.starts_with("the workflow is not deterministic"),
        "{first}"
    );
}

// ---- waiting outside ----

/// A crash test of a task that does this before it is done.
fn doing(what: impl Fn() + Clone + Send + Sync + 'static) -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), move |_| {
        let what = what.clone();
        let send = move |_: Ctx| {
            what();
            ready(Ok::<_, TaskError>(Mail::Sent))
        };
        mail_workflow(send)
    })
}

/// How often the thread of this folder in `/proc` has waited for the system so far.
#[cfg(target_os = "linux")]
fn waits(thread: &Path) -> u64 {
    let status = std::fs::read_to_string(thread.join("status")).expect("Linux says it");
    let waits = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    let waits = waits.expect("Linux counts them").trim().parse();
    waits.expect("it is a number")
}

/// The folder of this thread in `/proc`, from whatever thread it is read.
#[cfg(target_os = "linux")]
fn this_thread() -> PathBuf {
    let link = std::fs::read_link("/proc/thread-self").expect("Linux has it");
    Path::new("/proc").join(link)
}

/// The findings say which task waits. It breaks no promise: only Linux says so, and the system decides when.
/// Each task here goes on only when the system has counted that it waits, so it is certain to be noticed.
#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "to see that it is noticed")]
fn a_task_that_sleeps_or_joins_a_thread_is_named_in_the_findings() {
    let few = |test: CrashTest<Mail>| test.crashes(1).samples(0).run();
    let sleeps = few(doing(|| {
        let (thread, before) = (this_thread(), waits(&this_thread()));
        while waits(&thread) == before {
            std::thread::sleep(Duration::from_millis(1));
        }
    }));
    assert_eq!(sleeps.waited, BTreeSet::from(["send".to_owned()]));
    let printed = sleeps.to_string();
    assert!(
        printed.ends_with("; waited for something outside: send"),
        "{printed}"
    );
    let joins = few(doing(|| {
        let (task, before) = (this_thread(), waits(&this_thread()));
        let thread = std::thread::spawn(move || {
            while waits(&task) == before {
                std::thread::yield_now();
            }
        });
        thread.join().expect("the thread ends");
    }));
    assert_eq!(joins.waited, BTreeSet::from(["send".to_owned()]));
}
