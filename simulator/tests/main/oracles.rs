//! Oracles reject a store that breaks its contract, and the history of a faithful run with one
//! change. `vacuity` shows that each catches a mutant.

use std::sync::Arc;

use crashpoint::protocol::Faithful;
use crashpoint::{Direction, RowKind};
use crashpoint_simulator::oracle::{self, Kind, ORACLES, judge};
use crashpoint_simulator::{
    Attempt, Breach, BrokenInvariant, Entry, Fault, Fired, LifeEnd, Opening, Refusal, Run,
    Schedule, Source, Stopped, StoreKind, What, run_schedule,
};
use expect_test::{Expect, expect};

use crate::support::{budget, calm, each_schedule, words};
use crate::workloads::named;

/// An oracle, a workload, and a change to its history that the oracle rejects.
struct Tampered {
    oracle: &'static str,
    workload: &'static str,
    change: fn(&mut Run),
    message: Expect,
}

fn tampered() -> Vec<Tampered> {
    let row = |oracle, workload, change, message| Tampered {
        oracle,
        workload,
        change,
        message,
    };
    vec![
        row(
            "invariants",
            "order",
            |run| {
                run.broken.push(BrokenInvariant {
                    name: "one is two".to_owned(),
                    message: "it is not".to_owned(),
                });
            },
            expect!["one is two: it is not"],
        ),
        row(
            "store-keeps-rows",
            "order",
            |run| push(run, 1, What::StoreFailed("a page is damaged".to_owned())),
            expect!["the store failed without a fault: a page is damaged"],
        ),
        row(
            "store-keeps-rows",
            "order",
            |run| {
                let loaded = find(run, |what| matches!(what, What::Loaded(_)));
                if let What::Loaded(rows) = &mut run.history.0[loaded].what {
                    *rows = rows[1..].into();
                }
            },
            expect!["a load of life 2 lacks the durable row 0"],
        ),
        row(
            "store-keeps-rows",
            "order",
            |run| {
                run.log.pop();
            },
            expect!["at the end the store lacks the durable row 3"],
        ),
        row(
            "fold-equality",
            "order",
            |run| {
                let what = find(run, |what| {
                    matches!(what, What::Applied { sequence: 2, .. })
                });
                if let What::Applied { mismatch, .. } = &mut run.history.0[what].what {
                    *mismatch = Some("another state".into());
                }
            },
            expect!["life 1 differs after row 2: another state"],
        ),
        row(
            "prefixes-resume",
            "order",
            |run| {
                let refused = LifeEnd::Refused(Refusal::Other("the log has a gap".to_owned()));
                push(run, 1, What::Returned(refused));
            },
            expect!["life 1: the log has a gap"],
        ),
        row(
            "no-panics",
            "order",
            |run| push(run, 1, What::Panicked("a bug".to_owned())),
            expect!["life 1 panicked: a bug"],
        ),
        row(
            "no-hangs",
            "order",
            |run| push(run, 1, What::Stopped(Stopped::WantsThread)),
            expect![
                "life 1 was stopped: a task asked tokio for a thread (`spawn_blocking`, or a call that uses it, such as those of `tokio::fs`), which can't be simulated: do it inline in the test, or behind a trait of yours"
            ],
        ),
        row(
            "liveness",
            "order",
            |run| {
                let verified = find(run, |what| *what == What::Began(Opening::Verify));
                let returned = find(run, |what| matches!(what, What::Returned(_)));
                assert!(returned < verified);
                let end = run.history.0[verified..]
                    .iter()
                    .position(|entry| matches!(entry.what, What::Returned(_)))
                    .expect("a verification tells its end");
                run.history.0[verified + end].what = What::Returned(LifeEnd::Suspended);
            },
            expect!["life 2 met no fault but did not end the run: suspended"],
        ),
        row(
            "direction",
            "order-fails",
            |run| {
                let again = run.history.0[find(run, |what| began(what, "reserve"))].clone();
                let turned = find(run, |what| landed(what, RowKind::RollbackStart));
                run.history.0.insert(turned + 1, again);
            },
            expect!["life 1 began reserve after the start of the rollback"],
        ),
        row(
            "undo-order",
            "order-fails",
            |run| {
                let undone = find(run, |what| undid(what, "charge"));
                let early = run.history.0.remove(undone);
                let turned = find(run, |what| landed(what, RowKind::RollbackStart));
                run.history.0.insert(turned + 1, early);
            },
            expect!["life 1 undid charge before reserve was settled"],
        ),
        row(
            "undo-once",
            "order-fails",
            |run| {
                let undone = find(run, |what| undid(what, "reserve"));
                let again = run.history.0[undone].clone();
                run.history.0.push(again);
            },
            expect!["life 1 undid reserve of visit 1 2 times in a row"],
        ),
        row(
            "undo-bytes",
            "order-fails",
            |run| {
                let undone = find(
                    run,
                    |what| matches!(what, What::Effect(it) if it.task == "charge" && it.direction == Direction::Undo),
                );
                if let What::Effect(effect) = &mut run.history.0[undone].what {
                    Arc::make_mut(effect).payload = "another receipt".into();
                }
            },
            expect![[
                r#"life 1 undid charge of visit 0 with another receipt, but {"of":"charge the card","visit":0} is durable"#
            ]],
        ),
        row(
            "step-order",
            "import-loop",
            |run| {
                let stepped = find(
                    run,
                    |what| matches!(what, What::Started(it) if it.task == "import" && it.step == 1),
                );
                if let What::Started(attempt) = &mut run.history.0[stepped].what {
                    attempt.step = 2;
                }
            },
            expect!["life 1 began step 2 with 1 cursors durable"],
        ),
        row(
            "no-false-fence",
            "order",
            |run| push(run, 1, What::Returned(LifeEnd::Fenced)),
            expect!["life 1 was fenced, but no other life wrote"],
        ),
        row(
            "cancellation",
            "order",
            |run| {
                let what = What::Fault(Fired {
                    point: "life1/append#0:before".into(),
                    fault: Fault::Cancel,
                });
                run.history.0.insert(1, Entry { life: 1, what });
            },
            expect!["life 1 began charge after it was cancelled"],
        ),
        row(
            "outcome-is-durable",
            "order-undo-fails",
            |run| {
                let stuck = find(run, |what| {
                    matches!(what, What::Returned(LifeEnd::Stuck(_)))
                });
                if let What::Returned(LifeEnd::Stuck(left)) = &mut run.history.0[stuck].what {
                    left.push("ghost".to_owned());
                }
            },
            expect!["life 1 returned: stuck, left behind: reserve, ghost; the log did not say so"],
        ),
    ]
}

fn find(run: &Run, wanted: impl Fn(&What) -> bool) -> usize {
    let mut entries = run.history.0.iter();
    entries
        .position(|entry| wanted(&entry.what))
        .expect("the history has what is to be changed")
}

fn push(run: &mut Run, life: u32, what: What) {
    run.history.0.push(Entry { life, what });
}

fn began(what: &What, wanted: &str) -> bool {
    matches!(what, What::Started(Attempt { task, direction: Direction::Do, .. }) if task == wanted)
}

fn undid(what: &What, wanted: &str) -> bool {
    matches!(what, What::Started(Attempt { task, direction: Direction::Undo, .. }) if task == wanted)
}

fn landed(what: &What, wanted: RowKind) -> bool {
    matches!(what, What::Landed(row) if row.kind == wanted)
}

#[test]
fn an_oracle_rejects_a_history_with_one_change() {
    for Tampered {
        oracle,
        workload,
        change,
        message,
    } in tampered()
    {
        let workload = named(workload, Faithful);
        let mut run = calm(&workload);
        assert_eq!(judge(&workload, &run), []);
        change(&mut run);
        let verdicts = judge(&workload, &run);
        let verdict = verdicts.iter().find(|verdict| verdict.oracle == oracle);
        let verdict = verdict.unwrap_or_else(|| panic!("{oracle} misses it: {verdicts:?}"));
        message.assert_eq(&verdict.message);
    }
}

#[test]
fn a_store_that_shows_a_row_that_is_not_durable_is_caught() {
    let workload = named("order", Faithful);
    let (found, _) = each_schedule(&workload, budget("c1b1"), |run| {
        let mut faults = run.history.faults();
        if !faults.any(|(_, _, fired)| fired.fault == Fault::Breach(Breach::PhantomRow)) {
            return None;
        }
        let mut verdicts = judge(&workload, run).into_iter();
        let verdict = verdicts.find(|verdict| verdict.oracle == "log-is-dense")?;
        Some(format!("{}\n{}", words(run), verdict.message))
    });
    expect![[r#"
        at life1/append#3:before: crash; at life2/append#4:before: phantom-row
        life 2 loaded row 4, which is not durable"#]]
    .assert_eq(&found.expect("the oracle notices"));
}

/// A cancelled run was rolled back, returned and was cleared. A rival found no log and began
/// another run, which was done and cleared, but crashed before it returned. The oracle compared its
/// effects with the result of the first run.
#[test]
fn the_result_of_an_earlier_run_is_not_compared_with_the_effects_of_a_later_run() {
    let workload = named("order-cleared", Faithful);
    let schedule: Schedule = "at life1/append#0:before: cancel
        at life1/append#0:acked: takeover
        at life2/clear:unacked: crash"
        .parse()
        .expect("it is a schedule");
    let (trial, _) = run_schedule(Source::Fixed(&workload), StoreKind::Memory, &schedule)
        .expect("all of it happens");
    let ends: Vec<String> = trial
        .run
        .history
        .returned()
        .map(|(.., end)| end.to_string())
        .collect();
    assert_eq!(ends[0], "rolled back");
    assert_eq!(trial.run.history.effects().count(), 4);
    assert_eq!(trial.verdicts, []);
}

/// rustdoc shows this table.
#[test]
fn the_docs_list_every_oracle_with_its_promise() {
    let docs = include_str!("../../src/oracle/mod.rs");
    let listed = docs.lines().filter(|line| line.starts_with("//! | `"));
    let expected = ORACLES
        .iter()
        .map(|it| format!("//! | `{}` | {} |", it.name, it.promise));
    assert_eq!(listed.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn only_the_promises_that_a_run_ends_are_liveness_promises() {
    let liveness = ORACLES
        .iter()
        .filter(|oracle| oracle.kind == Kind::Liveness);
    let names: Vec<&str> = liveness.map(|oracle| oracle.name).collect();
    assert_eq!(names, ["liveness", "ends-in-time"]);
    for known in ORACLES {
        let found = oracle::named(known.name).map(|found| found.promise);
        assert_eq!(found, Some(known.promise), "{}", known.name);
    }
    assert!(oracle::named("nope").is_none());
}

/// The promises that a mistake in a workflow, or in its upgrade, can break. A failure of any other says that
/// the author is not to blame.
#[test]
fn every_promise_that_a_workflow_can_break_says_what_to_change() {
    const BREAKABLE: [&str; 15] = [
        "prefixes-resume",
        "no-panics",
        "no-hangs",
        "releases-carry-logs",
        "liveness",
        "ends-in-time",
        "all-or-nothing",
        "keys",
        "keyless-once",
        "values-read-back",
        "stuck-has-a-cause",
        "crashes-keep-the-ending",
        "calm-is-done",
        "routers-do-nothing",
        "invariants",
    ];
    for oracle in ORACLES {
        let blamed = BREAKABLE.contains(&oracle.name);
        let reported = oracle.advice().ends_with("please report it");
        assert_eq!(blamed, !reported, "{}: {}", oracle.name, oracle.advice());
    }
}
