//! Samples beyond the exhausted budgets, and the regression test that a failure prints.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Mutex};

use crashpoint::{Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{CrashTest, TOKEN_LENGTH_MAX, crash_test_in};
use expect_test::expect;

use super::failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Trip {
    Flight,
    Hotel,
    Car,
    Booked,
}

/// A booking service with a number of seats for clients. A life takes a seat with its first
/// request, by its fencing token, and returns none.
fn trip(seats: usize) -> CrashTest<Trip, Mutex<BTreeSet<u64>>> {
    let test = crash_test_in(
        || Mutex::new(BTreeSet::new()),
        Trip::Flight,
        &(),
        |_, taken: &Arc<Mutex<BTreeSet<u64>>>| {
            let ask = |next: Trip| {
                let taken = Arc::clone(taken);
                move |ctx: Ctx| {
                    let mut taken = taken.lock().expect("nobody panicked with it");
                    taken.insert(ctx.fencing_token());
                    ready(Ok::<_, TaskError>(next))
                }
            };
            Workflow::builder("trip", 1)
                .task(Trip::Flight, "flight", ask(Trip::Hotel))
                .task(Trip::Hotel, "hotel", ask(Trip::Car))
                .task(Trip::Car, "car", ask(Trip::Booked))
                .exit(Trip::Booked)
                .build()
                .expect("the workflow is well defined")
        },
    );
    test.invariant("there are seats", move |taken, _| {
        let taken = taken.lock().expect("nobody panicked with it").len();
        if taken > seats {
            Err(format!("{taken} seats are taken"))
        } else {
            Ok(())
        }
    })
}

/// Three lives take three seats, and every schedule with three lives is exhausted. Only a fourth
/// life takes more.
#[test]
fn a_sample_finds_a_mistake_beyond_the_exhausted_budgets() {
    let all = trip(3).samples(0).run();
    assert_eq!(all.sampled, 0);
    let failed = failure(|| trip(3).run());
    let head = failed.split("timeline\n").next().unwrap_or_default();
    expect![[r#"
        invariants: there are seats: 4 seats are taken
        the window: life 1 has sent row 1 (flight -> Hotel), which is not durable yet: the process crashes; then life 2 has sent row 2 (flight -> Hotel), which is not durable yet: the process crashes; then life 3 has sent row 5 (car -> Booked), which is not durable yet: the process crashes
        what to change: flight runs in life 1 and again in life 2. If that breaks the invariant, send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was done
        found after 2,152 schedules, among 1,000 samples beyond the exhausted budgets; no fault can be left out (167 simulations)

        point of no return
          0 of 24 continuations break it, before any fault
          1 of 24 continuations break it, after the fault at life1/append#1:before: crash
          2 of 24 continuations break it, after the fault at life2/append#2:before: crash
         24 of 24 continuations break it, after the fault at life3/append#5:before: crash: inevitable from here on

        schedule
          at life1/append#1:before: crash (the process crashes)
          at life2/append#2:before: crash (the process crashes)
          at life3/append#5:before: crash (the process crashes)
    "#]].assert_eq(head);
}

/// The seeds of samples are pinned, so they are the same every time.
#[test]
fn a_token_replays_the_finding_of_a_sample() {
    let failed = failure(|| trip(3).run());
    // Behind this each is kept by its number within the test function.
    let story = |failed: &str| failed.split("keep it").next().map(str::to_owned);
    assert_eq!(story(&failed), story(&failure(|| trip(3).run())));
    let replay = failed.lines().find_map(|line| {
        let line = line.trim().strip_prefix("CRASHPOINT_REPLAY=")?;
        line.split(' ').next()
    });
    let token = replay.expect("the failure says how it is replayed");
    assert!(token.chars().count() <= TOKEN_LENGTH_MAX, "{token}");
    let again = failure(|| trip(3).replay(token));
    assert!(
        again.contains("there are seats: 4 seats are taken"),
        "{again}"
    );
    let story = trip(4).replay(token);
    assert!(story.ends_with("violations\n  none\n"), "{story}");
}

#[test]
fn a_run_says_what_it_exhausted_and_what_it_sampled() {
    let findings = trip(usize::MAX).run();
    expect!["1,652 schedules, exhausted: 94 of 94 crash points covered; 1,000 sampled beyond; 172 run twice"].assert_eq(&findings.to_string());
    let few = trip(usize::MAX).samples(10).run();
    assert_eq!(few.sampled, 10);
    assert_eq!(
        few.schedules - few.sampled,
        findings.schedules - findings.sampled
    );
}

#[test]
fn a_test_without_crashes_samples_nothing() {
    assert_eq!(trip(1).crashes(0).run().sampled, 0);
}

// ---- the regression test ----

fn takes_a_second_seat() {
    // Statements before the crash test belong to it.
    let seats = 1;
    let findings = trip(seats).samples(20).run();
    assert_eq!(findings.violations, []);
}

fn there_are_seats_at_life1_append_1_before_crash() {
    // Statements before the crash test belong to it.
    let seats = 1;
    trip(seats)
        .samples(20)
        .replay("v1; at life1/append#1:before: crash");
}

/// The function above is the printed text: so it compiles, and fails as it should.
#[test]
fn the_regression_test_is_the_authors_own_with_one_schedule() {
    let failed = failure(takes_a_second_seat);
    let (_, kept) = failed.split_once("keep it\n\n").expect("a test to keep");
    let function = kept.strip_prefix("#[test]\n").expect("a test");
    // The formatter may have wrapped a line of it.
    let packed = |text: &str| text.split_whitespace().collect::<String>();
    let source = packed(include_str!("sampled.rs"));
    assert!(source.contains(&packed(function)), "{kept}");
    let again = failure(there_are_seats_at_life1_append_1_before_crash);
    assert!(again.starts_with("a promise is broken\n"), "{again}");
}

/// A closure is not a test, and the function around it is more than the crash test.
#[test]
fn a_crash_test_in_a_closure_is_kept_by_the_function_around_it() {
    let failed = failure(|| trip(1).run());
    assert!(
        failed.contains("crashpoint_simulator::replay_in(crate::crash_test::sampled::a_crash_"),
        "{failed}"
    );
}
