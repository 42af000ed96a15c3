//! Crash images of the embedded store: no crash loses an acknowledged row.

mod grouped;
mod mutants;
#[cfg(unix)]
mod real;

use crashpoint_simulator::disk::{Call, Failure, Lasting};
use crashpoint_simulator::images::{Embedded, Exploration, ImagesReport, Modes, Op, Script};
use expect_test::{Expect, expect};

/// Checks that no image breaks a promise, and the numbers of images.
#[track_caller]
fn check(report: &ImagesReport, expected: &Expect) {
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
            process crash      11266     7455
            name lost             61       61
            none kept          11208    11207
            all kept            4877     2219
            prefix kept          632      632
            subset kept         3914     3464
            torn               14240    13615
            all                46198    38653
            within recovery    41559    34920
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
        process crash        391      119
        name lost             30       30
        none kept            362      361
        all kept             270      177
        prefix kept          497      497
        subset kept         2817     1454
        torn               12688    10420
        all                17055    13058
        within recovery        0        0
        0 violations"#]],
    );
}

/// The store commits once for each group of the script. The groups include clears, duplicates,
/// loads and dropped futures.
#[test]
fn a_crash_at_every_step_of_batches_and_of_their_recovery_breaks_no_promise() {
    let script = Script::batches();
    let exploration = Exploration::of(&script, &Embedded).within_recovery();
    check(
        &exploration.explore(),
        &expect![[r#"
        process crash      10346     6737
        name lost             61       61
        none kept          10288    10287
        all kept            4457     1934
        prefix kept          513      513
        subset kept         2853     2571
        torn               12064    11452
        all                40582    33555
        within recovery    36740    30544
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
            process crash      48724    47011
            name lost          10990    10990
            none kept          38076    38075
            all                97790    96076
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
        process crash       3257     3136
        name lost           1218     1218
        none kept           2079     2078
        all                 6554     6432
        within recovery        0        0
        0 violations"#]],
    );
}

/// Values of many pages: the file grows, and a write has more sectors than are torn individually.
#[test]
fn a_crash_while_the_file_grows_breaks_no_promise() {
    let script = Script::new(20_000).then([Op::Append(0), Op::Append(1), Op::Append(2)]);
    let script = script.then([Op::Clear(1), Op::Append(1), Op::Append(0)]);
    let exploration = Exploration::of(&script, &Embedded);
    check(
        &exploration.explore(),
        &expect![[r#"
        process crash        109       52
        name lost             30       30
        none kept             80       79
        all kept              55       33
        prefix kept           95       95
        subset kept          579      299
        torn                2376     2081
        all                 3324     2669
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
            process crash      61864    59461
            name lost          12190    12190
            none kept          50056    50055
            all               124110   121706
            within recovery        0        0
            0 violations"#]],
    );
    expect!["380 runs, 484 errors"]
        .assert_eq(&format!("{} runs, {} errors", report.runs, report.faults));
}

/// With everything that a crash can leave after a failed sync, and crashes within the recovery.
#[test]
fn a_failed_sync_breaks_no_promise_whatever_survives() {
    let script = Script::new(50).then([Op::Append(0), Op::Append(0), Op::Append(0)]);
    for at in [6, 9] {
        let fault = Failure::Broken {
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
        process crash      11755    11367
        name lost           1548     1548
        none kept          10258    10257
        all                23561    23172
        within recovery        0        0
        0 violations"#]],
    );
    expect!["51 runs, 385 errors"]
        .assert_eq(&format!("{} runs, {} errors", report.runs, report.faults));
}

#[test]
fn a_flipped_bit_never_makes_a_wrong_row() {
    let script = Script::mixed();
    let rot = Exploration::of(&script, &Embedded).rot(4_000, 1);
    assert_eq!(rot.wrong, [""; 0]);
    expect!["3504 of 4000 right, 496 refused"].assert_eq(&format!(
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
