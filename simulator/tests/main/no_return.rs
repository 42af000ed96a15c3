//! The point of no return of a failing schedule.

use crashpoint_simulator::{
    NoReturn, Recording, Schedule, Source, StoreKind, run_schedule, workload,
};
use expect_test::{Expect, expect};

fn check(mutant: &str, oracle: &str, schedule: &str, expected: &Expect) {
    let workload = workload::named(mutant).expect("it is built in");
    let source = Source::Fixed(&workload);
    let schedule: Schedule = schedule.parse().expect("it is a schedule");
    let (_, tape) = run_schedule(source, StoreKind::Memory, &schedule).expect("it happens");
    let recording = Recording::Tape(tape);
    let outlook = NoReturn::of(source, &recording, oracle, 24).expect("it can be replayed");
    expected.assert_eq(&format!("point of no return\n{outlook}"));
    let again = NoReturn::of(source, &recording, oracle, 24).expect("it can be replayed");
    assert_eq!(outlook, again, "its seeds are pinned");
}

/// A crash at any instant between the two is enough, so it was likely before and certain behind.
#[test]
fn the_decision_from_which_on_a_failure_is_inevitable_is_named() {
    check(
        "control-gives-up",
        "crashes-keep-the-ending",
        "at life1/append#1:before: crash",
        &expect![[r#"
            point of no return
              1 of 24 continuations break it, before any fault
             24 of 24 continuations break it, after the fault at life1/append#1:before: crash: inevitable from here on"#]],
    );
}

/// Without a fault the mutant fails in every schedule: there is nothing to decide.
#[test]
fn a_failure_of_every_schedule_was_inevitable_from_the_start() {
    check(
        "control-never-done",
        "calm-is-done",
        "no fault",
        &expect![[r#"
            point of no return
             24 of 24 continuations break it, before any fault: inevitable from here on"#]],
    );
}

#[test]
fn a_failure_that_needs_two_faults_is_likely_only_behind_the_second() {
    check(
        "order~FencedStops",
        "one-writer",
        "at life1/append#3:before: takeover",
        &expect![[r#"
            point of no return
              2 of 24 continuations break it, before any fault
             24 of 24 continuations break it, after the fault at life1/append#3:before: takeover: inevitable from here on"#]],
    );
}
