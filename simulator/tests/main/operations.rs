//! The engine's operations over a fleet of runs: explored, and each broken operation caught.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use crashpoint_simulator::choices::Recorded;
use crashpoint_simulator::operations::oracle::{ORACLES, judge};
use crashpoint_simulator::operations::{BROKEN, Bounds, Broken, campaigns, simulate};
use crashpoint_simulator::{Pool, explore_operations, sample_operations};
use expect_test::expect;

/// Bounds in which a test takes a second.
const SMALL: Bounds = Bounds {
    crashes: 1,
    faults: 0,
    switches: 0,
};

#[test]
fn every_operation_keeps_its_promises_within_the_bounds_and_beyond() {
    let mut report = explore_operations(Pool::of_all_cores(), &campaigns(), None);
    assert_eq!(report.violations, []);
    assert!(!report.cut_short);
    let points = &report.recorder;
    assert_eq!(points.covered(), points.total());
    assert!(points.total() > 0, "crash points were counted");
    report = sample_operations(Pool::of_all_cores(), 500);
    assert_eq!(report.violations, []);
}

#[test]
fn every_broken_operation_is_caught_by_its_oracle() {
    let mut seen = BTreeSet::new();
    for (broken, oracle) in BROKEN {
        let objection = broken.caught_by(oracle);
        assert!(objection.is_some(), "{oracle} did not object to {broken}");
        seen.insert(*oracle);
    }
    let oracles = ORACLES.iter().map(|oracle| oracle.name).collect();
    assert_eq!(seen, oracles, "each oracle was seen objecting");
}

#[test]
fn a_report_is_the_same_on_any_number_of_threads() {
    let two = Pool::new(NonZeroUsize::new(2).expect("two is not zero"));
    for broken in [None, Some(Broken::StatusLies)] {
        let alone = explore_operations(Pool::of_one(), &[SMALL], broken);
        assert_eq!(alone, explore_operations(two, &[SMALL], broken));
    }
}

#[test]
fn a_violation_happens_again_from_its_tape() {
    let report = explore_operations(Pool::of_one(), &[SMALL], Some(Broken::PurgeTakesStuck));
    let violation = report.violations.first().expect("the mutant is caught");
    let choices = Arc::new(Mutex::new(Recorded::new(violation.tape.clone())));
    let again = simulate(SMALL, choices, Some(Broken::PurgeTakesStuck));
    assert_eq!(again.history.to_string(), violation.history);
    let verdicts = judge(&again);
    let found = |verdict: &crashpoint_simulator::oracle::Verdict| {
        (verdict.oracle, &verdict.message) == (violation.oracle, &violation.message)
    };
    assert!(verdicts.iter().any(found), "{verdicts:?}");
}

/// The story of a mutant, as an exploration prints it.
#[test]
fn a_violation_tells_every_event() {
    let report = explore_operations(Pool::of_one(), &[SMALL], Some(Broken::StatusLies));
    let violation = report.violations.first().expect("the mutant is caught");
    let of_status = violation.history.lines();
    let of_status = of_status.filter(|line| line.starts_with("caller 2"));
    let of_status = of_status.collect::<Vec<_>>().join("\n");
    let expected = expect![[r#"
        a status has stuck as rolled back after 4 rows, and its log never said so
        caller 2: begins status of stuck
        caller 2: answers rolled back after 4 rows"#]];
    expected.assert_eq(&format!("{}\n{of_status}", violation.message));
}
