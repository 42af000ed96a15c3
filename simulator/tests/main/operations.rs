//! The engine's operations over a fleet of runs: explored, each broken operation caught, and each
//! violation replayed and shrunk.

use std::num::NonZeroUsize;

use crashpoint_simulator::operations::oracle::ORACLES;
use crashpoint_simulator::operations::{BROKEN, Broken, DEFAULT_CRASHES, beyond, campaigns};
use crashpoint_simulator::vacuity::Table;
use crashpoint_simulator::{
    Findings, HashedTrace, Operations, Pool, Possible, Recording, SHRINK_RUNS_MAX, Settings,
    Simulated as _, StoreKind, explore_operations, explore_seeds_on, render, replay_recording,
    shrink,
};
use expect_test::expect;

/// Settings in which a test takes a second.
fn small() -> Settings {
    Settings::within("c1".parse().expect("it is a budget"))
}

fn broken(broken: Broken) -> (Operations, Findings) {
    let operations = Operations(Some(broken));
    let findings = explore_operations(Pool::of_all_cores(), operations, &small());
    (operations, findings)
}

#[test]
fn every_operation_keeps_its_promises_within_the_bounds_and_beyond() {
    let (pool, operations) = (Pool::of_all_cores(), Operations(None));
    for store in [StoreKind::Memory, StoreKind::Redb] {
        let over = |budget| Settings {
            store,
            ..Settings::within(budget)
        };
        for budget in campaigns(store, DEFAULT_CRASHES) {
            let findings = explore_operations(pool, operations, &over(budget));
            assert_eq!(findings.violations, [], "{budget} over {store}");
            assert!(!findings.cut_short);
            let points = &findings.recorder;
            assert_eq!(points.covered(), points.total(), "{budget} over {store}");
            assert_eq!(
                points.total() > 0,
                budget.crashes > 0,
                "{budget} over {store}"
            );
        }
        let settings = over(beyond(store));
        let findings = explore_seeds_on(pool, operations, &settings, Possible::All, 0..500);
        assert_eq!(findings.violations, [], "over {store}");
    }
}

/// A disk that loses what it has synced takes rows that an operation was answered.
#[test]
fn a_disk_that_loses_synced_rows_breaks_what_operations_were_answered() {
    let settings = Settings {
        store: StoreKind::RedbLosingWrites,
        ..small()
    };
    let findings = explore_operations(Pool::of_all_cores(), Operations(None), &settings);
    let oracles = findings.violations.iter().map(|it| it.oracle);
    assert!(oracles.into_iter().any(|it| it == "answers-are-durable"));
}

/// Over memory, whose rows survive every crash, an answer that came too early is never noticed.
#[test]
fn early_answers_show_only_where_the_power_can_fail() {
    for mutant in [Broken::PurgeAnswersEarly, Broken::LifeAnswersEarly] {
        let (_, findings) = broken(mutant);
        assert_eq!(findings.violations, [], "{mutant}");
    }
}

#[test]
fn every_broken_operation_is_caught_by_its_oracle() {
    let mut table = Table::of(&[]);
    let silent = |table: &Table| {
        let zeros = table.zeros().into_iter();
        let of_operations = |zero: &String| ORACLES.iter().any(|it| zero.starts_with(it.name));
        zeros.filter(of_operations).collect::<Vec<String>>()
    };
    assert_eq!(silent(&table).len(), BROKEN.len(), "none was tried");
    table.add_broken_operations();
    assert_eq!(silent(&table), [""; 0]);
}

#[test]
fn findings_are_the_same_on_any_number_of_threads() {
    let two = Pool::new(NonZeroUsize::new(2).expect("two is not zero"));
    for broken in [None, Some(Broken::StatusLies)] {
        let explored = |pool| explore_operations(pool, Operations(broken), &small());
        assert_eq!(explored(Pool::of_one()), explored(two));
    }
}

/// The tokens of operations were missing: a violation could not be run again.
#[test]
fn a_violation_of_operations_happens_again_from_its_token_and_shrinks() {
    for (mutant, oracle, operations_max) in [
        (Broken::PurgeTakesStuck, "purge-takes-ended-runs", 2),
        // The names of the instants of the third tell that it is the third.
        (Broken::RetryIgnoresFence, "one-retry", 3),
    ] {
        let operations = Operations(Some(mutant));
        let settings = Settings::within(beyond(StoreKind::Memory));
        let findings = explore_seeds_on(
            Pool::of_all_cores(),
            operations,
            &settings,
            Possible::All,
            0..2_000,
        );
        let mut violations = findings.violations.iter();
        let violation = violations.find(|it| it.oracle == oracle);
        let violation = violation.expect("the mutant is caught");
        let word = violation.token.word().expect("a seed is short");
        assert!(word.starts_with(&format!("3.operations~{mutant}.memory.c2f2p6.s")));
        let recording = Recording::read(&word).expect("it is a token");
        let trial = replay_recording(operations, &recording).expect("nothing has changed");
        let is_same = |it: &crashpoint_simulator::oracle::Verdict| it.message == violation.message;
        assert!(trial.verdicts.iter().any(is_same), "{:?}", trial.verdicts);
        assert_eq!(trial.simulation.history.schedule(), violation.schedule);

        let shrunk = shrink(operations, violation, SHRINK_RUNS_MAX).expect("it is recorded");
        assert!(shrunk.minimal);
        let left = shrunk.trial.simulation.operations.len();
        assert!(left <= operations_max, "{mutant}: {left}");
        let smaller = shrunk.violation.schedule.0.len();
        assert!(smaller <= violation.schedule.0.len());
        let word = shrunk.token().word().expect("few draws are a short token");
        let recording = Recording::read(&word).expect("it is a token");
        assert_eq!(
            replay_recording(operations, &recording),
            Ok(shrunk.trial),
            "{mutant}"
        );
    }
}

#[test]
fn a_recording_of_other_operations_is_no_replay() {
    let (operations, findings) = broken(Broken::StatusLies);
    let violation = findings.violations.first().expect("the mutant is caught");
    let recording = Recording::Token(violation.token.clone());
    let again = replay_recording(operations, &recording).expect("nothing has changed");
    let other = replay_recording(Operations(Some(Broken::RunsAgain)), &recording);
    // The same choices are another simulation, or the same with other verdicts.
    let divergence = other.map(|other| HashedTrace::divergence_of_trials(&again, &other));
    assert_ne!(divergence, Ok(None));
}

#[test]
fn names_of_operations_are_read_back() {
    for broken in BROKEN.iter().map(|(broken, _)| Some(*broken)).chain([None]) {
        let operations = Operations(broken);
        assert_eq!(Operations::named(&operations.name()), Some(operations));
    }
    for name in [
        "order",
        "operations~",
        "operations~TerminalAbsorbs",
        "Operations",
    ] {
        assert_eq!(Operations::named(name), None, "{name}");
    }
}

/// The story of a mutant, as an exploration prints it.
#[test]
fn a_violation_tells_every_event() {
    let (operations, findings) = broken(Broken::StatusLies);
    let violation = findings.violations.first().expect("the mutant is caught");
    let shrunk = shrink(operations, violation, SHRINK_RUNS_MAX).expect("it is recorded");
    let trial = &shrunk.trial;
    let story = render::operations_story(&trial.simulation, &trial.verdicts);
    let of_status = story.lines().filter(|line| !line.contains("caller 4"));
    let expected = expect![[r#"
        operations
          caller 1: status of stuck
          caller 2: resume_all
          all in one process
        schedule
          no fault
        timeline
          caller 1: begins status of stuck
          caller 1: answers rolled back after 4 rows
          caller 2: begins resume_all
          caller 2: lists corrupt, damaged, done, failed, mixed, open, panics, poisoned, stuck, unknown
          caller 2: appends claim as row 2 to open
          caller 2: appends claim as row 2 to panics
          caller 2: does decide for open
          caller 2: appends state_entry as row 3 to open
          caller 2: appends rollback_start as row 3 to panics
          caller 2: undoes reserve for panics
          caller 2: appends compensated as row 4 to panics
          caller 2: appends rolled_back as row 5 to panics
          caller 2: answers 2 ended before, corrupt corrupt_log, damaged checkpoint_store, mixed corrupt_log, open done in First, panics rolled back, poisoned mismatch, stuck stuck, unknown unknown_workflow
        violations
          status-is-true: a status has stuck as rolled back after 4 rows, and its log never said so"#]];
    expected.assert_eq(&of_status.collect::<Vec<_>>().join("\n"));
}
