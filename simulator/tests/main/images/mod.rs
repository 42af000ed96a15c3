//! Crash images of the embedded store: nothing that was acknowledged is lost, wherever it crashes.

mod grouped;
mod mutants;
#[cfg(unix)]
mod real;

use crashpoint_simulator::disk::{Call, DiskFault, Lasting};
use crashpoint_simulator::images::{Embedded, Exploration, Modes, Op, Report, Script};
use expect_test::{Expect, expect};

/// No image breaks a promise, and there are so many of them.
#[track_caller]
fn check(report: &Report, expected: &Expect) {
    if let Some(first) = report.violations.first() {
        panic!("{first}");
    }
    expected.assert_eq(&report.to_string());
}

#[test]
fn a_crash_at_every_step_of_a_mixed_script_and_of_its_recovery_breaks_no_promise() {
    let script = Script::mixed();
    let exploration = Exploration::of(&script, &Embedded).within_recovery();
    check(
        &exploration.explore(),
        &expect![[r#"
            process crash      14210     9381
            name lost             61       61
            none kept          14152    14151
            all kept            6117     2870
            prefix kept          773      773
            subset kept         5633     5086
            torn               18976    18311
            all                59922    50633
            within recovery    53748    45610
            0 violations"#]],
    );
}

#[test]
fn a_crash_at_every_step_of_forty_transactions_breaks_no_promise() {
    let script = Script::appends(40);
    let exploration = Exploration::of(&script, &Embedded);
    check(
        &exploration.explore(),
        &expect![[r#"
        process crash        429      119
        name lost             30       30
        none kept            400      399
        all kept             308      219
        prefix kept          702      702
        subset kept         6056     3146
        torn               18752    16191
        all                26677    20806
        within recovery        0        0
        0 violations"#]],
    );
}

/// The store commits as often as there are groups in the script, and the clears and duplicates, the
/// loads and the dropped futures are within.
#[test]
fn a_crash_at_every_step_of_batches_and_of_their_recovery_breaks_no_promise() {
    let script = Script::batches();
    let exploration = Exploration::of(&script, &Embedded).within_recovery();
    check(
        &exploration.explore(),
        &expect![[r#"
        process crash      12992     8493
        name lost             61       61
        none kept          12934    12933
        all kept            5575     2483
        prefix kept          639      639
        subset kept         4599     4144
        torn               15616    14918
        all                52416    43671
        within recovery    47320    39626
        0 violations"#]],
    );
}

#[test]
fn an_error_at_every_read_write_and_sync_of_batches_breaks_no_promise() {
    let script = Script::batches();
    let exploration = Exploration::of(&script, &Embedded).modes(Modes::Plain);
    let report = exploration.every_error();
    check(
        &report,
        &expect![[r#"
            process crash      52266    50046
            name lost          11350    11350
            none kept          41270    41269
            all               104886   102665
            within recovery        0        0
            0 violations"#]],
    );
}

#[test]
fn a_disk_that_is_full_at_any_size_within_batches_breaks_no_promise() {
    let script = Script::new(6_000).together((0..4).cycle().take(12).map(Op::Append));
    let script = script.together([Op::Append(0), Op::Clear(1), Op::Append(1), Op::Append(2)]);
    let report = Exploration::of(&script, &Embedded)
        .modes(Modes::Plain)
        .every_size();
    check(
        &report,
        &expect![[r#"
        process crash       3334     3214
        name lost           1248     1248
        none kept           2127     2126
        all                 6709     6588
        within recovery        0        0
        0 violations"#]],
    );
}

/// Values of many pages: the file grows, and a write has more sectors than are torn one by one.
#[test]
fn a_crash_while_the_file_grows_breaks_no_promise() {
    let script = Script::new(20_000).then([Op::Append(0), Op::Append(1), Op::Append(2)]);
    let script = script.then([Op::Clear(1), Op::Append(1), Op::Append(0)]);
    let exploration = Exploration::of(&script, &Embedded);
    check(
        &exploration.explore(),
        &expect![[r#"
        process crash        114       52
        name lost             30       30
        none kept             85       84
        all kept              60       39
        prefix kept          124      124
        subset kept         1116      577
        torn                3224     2893
        all                 4753     3799
        within recovery        0        0
        0 violations"#]],
    );
}

#[test]
fn an_error_at_every_read_write_and_sync_breaks_no_promise() {
    let script = Script::mixed();
    let exploration = Exploration::of(&script, &Embedded).modes(Modes::Plain);
    let report = exploration.every_error();
    check(
        &report,
        &expect![[r#"
            process crash      64870    61768
            name lost          12430    12430
            none kept          52830    52829
            all               130130   127027
            within recovery        0        0
            0 violations"#]],
    );
    expect!["388 runs, 496 errors"]
        .assert_eq(&format!("{} runs, {} errors", report.runs, report.faults));
}

/// With everything that a crash can leave after a failed sync, crashes within the recovery included.
#[test]
fn a_failed_sync_breaks_no_promise_whatever_is_left() {
    let script = Script::new(50).then([Op::Append(0), Op::Append(0), Op::Append(0)]);
    for at in [6, 9] {
        let fault = DiskFault::Broken {
            call: Call::Sync,
            at,
            lasting: Lasting::Once,
        };
        let exploration = Exploration::of(&script, &Embedded).failing(fault);
        let report = exploration.within_recovery().explore();
        assert_eq!(report.violations, []);
        assert_eq!(report.faults, 1);
    }
}

#[test]
fn a_disk_that_is_full_at_any_size_breaks_no_promise() {
    let script = Script::new(6_000).then((0..3).cycle().take(18).map(Op::Append));
    let exploration = Exploration::of(&script, &Embedded).modes(Modes::Plain);
    let report = exploration.every_size();
    check(
        &report,
        &expect![[r#"
        process crash      16572    16154
        name lost           2088     2088
        none kept          14553    14552
        all                33213    32794
        within recovery        0        0
        0 violations"#]],
    );
    expect!["69 runs, 562 errors"]
        .assert_eq(&format!("{} runs, {} errors", report.runs, report.faults));
}

#[test]
fn a_bit_that_turns_over_never_makes_a_wrong_row() {
    let script = Script::mixed();
    let rot = Exploration::of(&script, &Embedded).rot(4_000, 1);
    assert_eq!(rot.wrong, [""; 0]);
    expect!["3579 of 4000 right, 421 refused"].assert_eq(&format!(
        "{} of {} right, {} refused",
        rot.right, rot.images, rot.refused
    ));
}

#[test]
fn an_exploration_is_the_same_every_time() {
    let script = Script::appends(3);
    let explore = || {
        Exploration::of(&script, &Embedded)
            .within_recovery()
            .explore()
    };
    assert_eq!(explore(), explore());
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let script = Script::appends(1);
    let exploration = Exploration::of(&script, &Embedded);
    for token in [
        "x",
        "3",
        "3:nothing",
        "100000:process",
        "3:torn-1-all-none",
        "3:subset-zz",
    ] {
        let error = exploration.replay(token).expect_err(token).to_string();
        assert!(error.contains(token), "{error}");
    }
    for token in [
        "",
        "40:process",
        "40:none/1:all",
        "40:torn-0-earlier-first-1",
        "9:nameless",
    ] {
        assert_eq!(exploration.replay(token), Ok(None), "{token}");
    }
}
