//! Every crash point is crashed at, and what is left out is noticed by name.

use crashpoint_engine::protocol::Faithful;
use crashpoint_simulator::workload::all;
use crashpoint_simulator::{Settings, explore};
use expect_test::expect;

use crate::support::{budget, within};
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
        import-loop: 653 of 653 points, 258 schedules"#]]
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
        campaigns.extend(["f1", "e1", "x1", "t1"].map(|most| (workload.name.as_str(), most)));
    }
    campaigns.extend([
        ("order-undo-fails", "c1f1"),
        ("order-undo-fails", "c1e1"),
        ("import-loop", "c1e1"),
        ("order", "e1t1"),
        ("order-fails-once", "c1x1"),
        ("import-loop", "c1t1"),
        ("order-fails", "t1p1"),
    ]);
    let mut table = Vec::new();
    for (workload, most) in campaigns {
        let findings = explore(&named(workload, Faithful), &within(budget(most)));
        assert_eq!(findings.violations, [], "{workload} {most}");
        table.push(format!("{workload} {most}: {}", findings.schedules));
    }
    expect![[r#"
        linear f1: 29
        linear e1: 16
        linear x1: 20
        linear t1: 20
        order f1: 29
        order e1: 17
        order x1: 19
        order t1: 19
        order-fails f1: 57
        order-fails e1: 33
        order-fails x1: 37
        order-fails t1: 37
        order-fails-once f1: 29
        order-fails-once e1: 23
        order-fails-once x1: 22
        order-fails-once t1: 22
        order-undo-fails f1: 89
        order-undo-fails e1: 43
        order-undo-fails x1: 53
        order-undo-fails t1: 53
        order-panics f1: 57
        order-panics e1: 33
        order-panics x1: 37
        order-panics t1: 37
        order-hangs f1: 57
        order-hangs e1: 39
        order-hangs x1: 42
        order-hangs t1: 42
        order-cleared f1: 15
        order-cleared e1: 17
        order-cleared x1: 21
        order-cleared t1: 21
        import-loop f1: 78
        import-loop e1: 51
        import-loop x1: 50
        import-loop t1: 50
        order-undo-fails c1f1: 2421
        order-undo-fails c1e1: 1006
        import-loop c1e1: 1005
        order e1t1: 449
        order-fails-once c1x1: 341
        import-loop c1t1: 2288
        order-fails t1p1: 695"#]]
    .assert_eq(&table.join("\n"));
}

/// The recorder counts what the injector was told not to cover.
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
