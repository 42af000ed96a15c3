//! Every crash point has a crash, and a missed crash point is named.

use std::collections::BTreeMap;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::{Workload, all};
use crashpoint_simulator::{
    Entry, Fault, Opening, Schedule, Settings, Source, StoreFault, StoreKind, What, explore,
    run_schedule,
};
use expect_test::expect;

use crate::support::{budget, each_schedule_of, within};
use crate::workloads::named;

#[test]
fn two_crashes_cover_every_crash_point_of_every_workload_and_break_no_promise() {
    let mut table = Vec::new();
    let mut schedules = 0;
    for workload in all() {
        let findings = explore(&workload, &within(budget("c2")));
        assert_eq!(findings.violations, [], "{}", workload.name);
        let missed: Vec<&str> = findings.recorder.missed().collect();
        assert_eq!(missed, [""; 0], "{}", workload.name);
        assert_eq!(findings.recorder.covered(), findings.recorder.total());
        schedules += findings.schedules;
        table.push(format!(
            "{}: {} of {} points, {} schedules",
            workload.name,
            findings.recorder.covered(),
            findings.recorder.total(),
            findings.schedules
        ));
    }
    assert!(schedules >= 1000, "{schedules} schedules are too few");
    expect![[r#"
        linear: 155 of 155 points, 68 schedules
        order: 130 of 130 points, 55 schedules
        order-fails: 390 of 390 points, 156 schedules
        order-fails-once: 194 of 194 points, 107 schedules
        order-undo-fails: 733 of 733 points, 336 schedules
        order-panics: 390 of 390 points, 156 schedules
        order-hangs: 562 of 562 points, 248 schedules
        order-cleared: 148 of 148 points, 64 schedules
        import-loop: 653 of 653 points, 258 schedules
        offer: 194 of 194 points, 78 schedules
        reminder: 272 of 272 points, 119 schedules
        parcel: 241 of 241 points, 121 schedules"#]]
    .assert_eq(&table.join("\n"));
}

#[test]
fn an_exploration_names_the_edges_that_some_log_took() {
    let edges = |workload: &str| {
        let findings = explore(&named(workload, Faithful), &within(budget("c1")));
        let edges = findings.edges.into_iter();
        edges
            .map(|(from, to)| format!("{from} -> {to}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    expect!["Charge -> Reserve, Reserve -> Ship, Ship -> Shipped"].assert_eq(&edges("order"));
    expect!["Charge -> Reserve, Reserve -> Ship"].assert_eq(&edges("order-fails"));
    expect![
        "import-pages -> more?, more? -> imported, more? -> open-batch, open-batch -> import-pages"
    ]
    .assert_eq(&edges("import-loop"));
}

#[test]
fn a_storage_fault_an_error_of_a_task_a_cancellation_or_a_rival_breaks_no_promise() {
    let mut campaigns = Vec::new();
    let workloads = all();
    for workload in &workloads {
        campaigns.extend(["f1", "e1", "x1", "t1", "j1"].map(|most| (workload.name.as_str(), most)));
    }
    campaigns.extend([
        ("order-undo-fails", "c1f1"),
        ("order-undo-fails", "c1e1"),
        ("import-loop", "c1e1"),
        ("order", "e1t1"),
        ("order-fails-once", "c1x1"),
        ("import-loop", "c1t1"),
        ("order-fails", "t1p1"),
        ("order", "c1j1"),
        ("order-hangs", "e1j1"),
        ("order", "t2p1"),
        ("order", "f1t1"),
    ]);
    let mut table = Vec::new();
    for (workload, most) in campaigns {
        let findings = explore(&named(workload, Faithful), &within(budget(most)));
        assert_eq!(findings.violations, [], "{workload} {most}");
        table.push(format!("{workload} {most}: {}", findings.schedules));
    }
    expect![[r#"
        linear f1: 33
        linear e1: 16
        linear x1: 16
        linear t1: 16
        linear j1: 46
        order f1: 33
        order e1: 17
        order x1: 15
        order t1: 15
        order j1: 43
        order-fails f1: 65
        order-fails e1: 33
        order-fails x1: 28
        order-fails t1: 28
        order-fails j1: 82
        order-fails-once f1: 33
        order-fails-once e1: 23
        order-fails-once x1: 18
        order-fails-once t1: 18
        order-fails-once j1: 52
        order-undo-fails f1: 101
        order-undo-fails e1: 43
        order-undo-fails x1: 38
        order-undo-fails t1: 38
        order-undo-fails j1: 112
        order-panics f1: 65
        order-panics e1: 33
        order-panics x1: 28
        order-panics t1: 28
        order-panics j1: 82
        order-hangs f1: 65
        order-hangs e1: 39
        order-hangs x1: 33
        order-hangs t1: 33
        order-hangs j1: 97
        order-cleared f1: 20
        order-cleared e1: 17
        order-cleared x1: 16
        order-cleared t1: 16
        order-cleared j1: 46
        import-loop f1: 89
        import-loop e1: 51
        import-loop x1: 39
        import-loop t1: 39
        import-loop j1: 115
        offer f1: 49
        offer e1: 26
        offer x1: 19
        offer t1: 19
        offer j1: 55
        reminder f1: 57
        reminder e1: 21
        reminder x1: 22
        reminder t1: 22
        reminder j1: 64
        parcel f1: 41
        parcel e1: 36
        parcel x1: 17
        parcel t1: 17
        parcel j1: 49
        order-undo-fails c1f1: 1931
        order-undo-fails c1e1: 1006
        import-loop c1e1: 1005
        order e1t1: 355
        order-fails-once c1x1: 276
        import-loop c1t1: 1479
        order-fails t1p1: 450
        order c1j1: 471
        order-hangs e1j1: 3205
        order t2p1: 8404
        order f1t1: 883"#]]
    .assert_eq(&table.join("\n"));
}

/// The recorder counts the instant that the injector skips.
#[test]
fn an_instant_that_the_injector_skips_is_missed_by_name() {
    let workload = named("order", Faithful);
    for skipped in [
        "life1/append#2:acked",
        "life1/ship:after-effect",
        "life1/append#0:before",
    ] {
        let settings = Settings {
            budget: budget("c1"),
            skip: Some(skipped.to_owned()),
            ..Settings::default()
        };
        let recorder = explore(&workload, &settings).recorder;
        let missed: Vec<&str> = recorder.missed().collect();
        assert_eq!(missed, [skipped]);
        assert_eq!(recorder.covered() + 1, recorder.total());
    }
}

/// Some mutant does not survive each of the faults of a late or misleading store: a schedule with
/// the fault breaks a promise, and the same schedule without it does not.
#[test]
fn every_fault_of_the_store_is_one_that_some_mutant_does_not_survive() {
    let mut table = Vec::new();
    let mutants = [
        (Rule::StorageFaultSuspends, "order", "f1"),
        (Rule::StorageFaultSuspends, "order", "f2"),
        (Rule::AppendErrorIsNoTaskFailure, "order", "f1"),
        (Rule::ReadBackBeforeResend, "order", "f1"),
        (Rule::ReadBackBeforeResend, "order", "f2"),
        (Rule::ReadBackSeesAll, "order", "f1t1"),
        (Rule::ClearNeedsExclusivity, "trip-cleared-shared", "f1"),
        (Rule::OutcomeAfterRow, "order", "f1"),
        (Rule::CancelWaitsForAppend, "order", "f1x1"),
        (Rule::PinnedRowIsFinal, "order", "f1x1"),
        (Rule::FencedStops, "order", "f1t1"),
        (Rule::ClearNeedsExclusivity, "trip-cleared-shared", "f1t1"),
    ];
    let mut caught: BTreeMap<String, String> = BTreeMap::new();
    for (rule, workload, most) in mutants {
        let mutant = named(workload, Without(rule));
        each_schedule_of(&mutant, &within(budget(most)), |run| {
            let verdicts = judge(&mutant, run);
            let verdict = verdicts.first()?;
            let schedule = Schedule::of(&run.history);
            for (at, fired) in schedule.0.iter().enumerate() {
                let rest = [Fault::Takeover, Fault::Cancel].contains(&fired.fault);
                let what = format!("{}: {}", operation(&fired.point), fired.fault);
                if rest || caught.contains_key(&what) || !is_needed(&mutant, &schedule, at) {
                    continue;
                }
                let words = format!("{rule:?} in {workload}: {}: {schedule}", verdict.oracle);
                caught.insert(what, words);
            }
            None::<()>
        });
    }
    let store = |what: &&String| {
        ["append", "load", "clear"]
            .iter()
            .any(|it| what.starts_with(it))
    };
    for what in caught.keys().filter(store) {
        table.push(format!("{what}\n    {}", caught[what]));
    }
    expect![[r#"
        append: duplicated
            AppendErrorIsNoTaskFailure in order: no-hangs: v1; at life1/append#3:before: duplicated
        append: echoed=2
            ClearNeedsExclusivity in trip-cleared-shared: prefixes-resume: v1; at life1/append#2:before: echoed=2
        append: in-doubt-applied
            AppendErrorIsNoTaskFailure in order: no-hangs: v1; at life1/append#3:before: in-doubt-applied
        append: in-doubt-late=1
            AppendErrorIsNoTaskFailure in order: no-hangs: v1; at life1/append#3:before: in-doubt-late=1
        append: in-doubt-late=2
            AppendErrorIsNoTaskFailure in order: storage-faults-stay-out: v1; at life1/append#3:before: in-doubt-late=2
        append: in-doubt-late=3
            AppendErrorIsNoTaskFailure in order: storage-faults-stay-out: v1; at life1/append#3:before: in-doubt-late=3
        append: in-doubt-lost
            AppendErrorIsNoTaskFailure in order: storage-faults-stay-out: v1; at life1/append#3:before: in-doubt-lost
        append: refused
            AppendErrorIsNoTaskFailure in order: storage-faults-stay-out: v1; at life1/append#3:before: refused
        append: slow-answer
            CancelWaitsForAppend in order: pinned-row: v1; at life1/append#3:before: slow-answer; at life1/append#3:pending: cancel
        append: slow-request
            CancelWaitsForAppend in order: pinned-row: v1; at life1/append#3:before: slow-request; at life1/append#3:pending: cancel
        clear: echoed=2
            ClearNeedsExclusivity in trip-cleared-shared: prefixes-resume: v1; at life1/clear:before: echoed=2; at life1/clear:unacked: takeover
        load: refused
            StorageFaultSuspends in order: storage-faults-stay-out: v1; at life1/append#3:before: refused; at life1/load:before: refused"#]].assert_eq(&table.join("\n"));
}

/// The operation of an instant: `append` of `life1/append#3.2:before`.
fn operation(point: &str) -> &str {
    let within = point.split_once('/').map_or(point, |(_, within)| within);
    let end = within.find(['#', ':', '.']).unwrap_or(within.len());
    &within[..end]
}

/// Whether the schedule breaks no promise without this fault.
fn is_needed(mutant: &Workload, schedule: &Schedule, at: usize) -> bool {
    let mut without = schedule.clone();
    let gone = without.0.remove(at);
    let late = matches!(
        gone.fault,
        Fault::Store(StoreFault::SlowAnswer | StoreFault::SlowRequest)
    );
    match run_schedule(Source::Fixed(mutant), StoreKind::Memory, &without) {
        Ok((trial, _)) => trial.verdicts.is_empty(),
        Err(unfired) => late && unfired.fired.point.ends_with(":pending"),
    }
}

/// Three lives are alive at once, and each acts after the third has begun.
#[test]
fn three_lives_race_each_other() {
    let order = named("order", Faithful);
    let mut races = 0;
    each_schedule_of(&order, &within(budget("t2p1")), |run| {
        let entries = &run.history.0;
        let third = entries
            .iter()
            .position(|entry| entry.life == 3 && matches!(entry.what, What::Began(_)));
        let after = third.map_or(&[][..], |at| &entries[at..]);
        let acts = |life| {
            let mut its = after.iter().filter(|entry| entry.life == life);
            its.any(|entry| matches!(entry.what, What::Sent(_) | What::Effect(_)))
        };
        let verifies = after
            .iter()
            .any(|entry| entry.life == 3 && entry.what == What::Began(Opening::Verify));
        races += u32::from(!verifies && [1, 2, 3].into_iter().all(acts));
        None::<()>
    });
    expect!["8458"].assert_eq(&races.to_string());
}

/// A second verification is left out if the first only loaded and returned.
#[test]
fn a_run_is_verified_again_if_the_first_verification_did_more_than_load() {
    let order = named("order", Faithful);
    let (mut once, mut again) = (0, 0);
    each_schedule_of(&order, &within(budget("f1")), |run| {
        let entries = &run.history.0;
        let verified = |entry: &&Entry| entry.what == What::Began(Opening::Verify);
        let since = entries.iter().position(|entry| verified(&entry));
        let since = &entries[since.expect("every run is verified")..];
        let times = since.iter().filter(verified).count();
        let looks =
            |what: &What| matches!(what, What::Began(_) | What::Loaded(_) | What::Returned(_));
        let looked = since.iter().all(|entry| looks(&entry.what));
        assert!(times == 2 || looked, "verified {times} times");
        *(if times == 1 { &mut once } else { &mut again }) += 1;
        None::<()>
    });
    expect!["32 once, 1 again"].assert_eq(&format!("{once} once, {again} again"));
}
