//! Drawn workflows, and how they shrink. Whatever their shape, every oracle accepts them with a
//! crash at every point, with two crashes, and with faults of every kind.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use crashpoint::protocol::{Faithful, Rule, Without};
use crashpoint::rebuild;
use crashpoint_simulator::choices::Seeded;
use crashpoint_simulator::oracle::judge;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::workload::generated::{
    Detour, Failure, Kind, NODES_MAX, Node, generated,
};
use crashpoint_simulator::{LifeEnd, Run};
use expect_test::expect;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::support::{budget, calm, each_schedule, run, within, words};

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        1 => Just(Kind::Plain),
        3 => Just(Kind::Compensatable),
        1 => (0..3_u64).prop_map(Kind::Stepped),
    ]
}

fn failures() -> impl Strategy<Value = Failure> {
    prop_oneof![
        12 => Just(Failure::Never),
        2 => Just(Failure::Once),
        1 => Just(Failure::FatalOnce),
        1 => Just(Failure::Always),
        1 => Just(Failure::Panics),
    ]
}

/// Loops and leaps, a few times each.
fn detours(states: usize) -> impl Strategy<Value = Option<Detour>> {
    let detour = (0..=states, 1..3_u64).prop_map(|(to, times)| Detour { to, times });
    prop::option::weighted(0.25, detour)
}

fn nodes(states: usize) -> impl Strategy<Value = Node> {
    let undo_failures = prop_oneof![3 => Just(0), 1 => 1..4_u64];
    (
        kinds(),
        detours(states),
        failures(),
        undo_failures,
        any::<bool>(),
    )
        .prop_map(|(kind, detour, failure, undo_failures, sleeps)| Node {
            kind,
            detour,
            failure,
            undo_failures,
            sleeps,
        })
}

fn shapes(states: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Node>> {
    states.prop_flat_map(|states| prop::collection::vec(nodes(states), states))
}

/// The first message of an oracle, if any, with the schedule.
fn first_violation(workload: &Workload, run: &Run) -> Option<String> {
    let verdict = judge(workload, run).into_iter().next()?;
    Some(format!(
        "{}: {} ({})",
        verdict.oracle,
        verdict.message,
        words(run)
    ))
}

/// Counts over many shapes, which show a strategy that draws too little.
#[derive(Debug, Default)]
struct Tally {
    shapes: u64,
    /// Shapes of which only the first schedules were run.
    cut: u64,
    schedules: u64,
    done: u64,
    rolled_back: u64,
    stuck: u64,
}

impl Tally {
    fn count(&mut self, run: &Run) {
        self.schedules += 1;
        let last = run.history.returned().last();
        match last.map(|(_, _, end)| end) {
            Some(LifeEnd::Done(_)) => self.done += 1,
            Some(LifeEnd::RolledBack) => self.rolled_back += 1,
            Some(LifeEnd::Stuck(_)) => self.stuck += 1,
            other => panic!("no oracle objected to {other:?}"),
        }
    }

    /// Runs every schedule within the budget, up to a limit.
    fn exhaust(&mut self, nodes: &[Node], most: &str, limit: u64) -> Result<(), TestCaseError> {
        let workload = generated(nodes, Faithful);
        let mut left = limit;
        let (found, _) = each_schedule(&workload, budget(most), |run| {
            if let Some(first_violation) = first_violation(&workload, run) {
                return Some(Err(TestCaseError::fail(first_violation)));
            }
            self.count(run);
            left -= 1;
            (left == 0).then_some(Ok(()))
        });
        self.shapes += 1;
        self.cut += u64::from(matches!(found, Some(Ok(()))));
        found.unwrap_or(Ok(()))
    }
}

/// The seed is always the same.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Draws a number of shapes and checks each.
fn check(
    cases: u32,
    states: RangeInclusive<usize>,
    check: impl Fn(&mut Tally, &[Node]) -> Result<(), TestCaseError>,
) -> String {
    let tally = RefCell::new(Tally::default());
    let outcome = runner(cases).run(&shapes(states), |nodes| {
        check(&mut tally.borrow_mut(), &nodes)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    format!("{:?}", tally.into_inner())
}

#[test]
fn a_crash_at_any_point_of_any_workflow_breaks_no_promise() {
    let tally = check(80, 3..=NODES_MAX, |tally, nodes| {
        tally.exhaust(nodes, "c1", 400)
    });
    expect![[
        r#"Tally { shapes: 80, cut: 0, schedules: 2867, done: 1719, rolled_back: 1095, stuck: 53 }"#
    ]]
    .assert_eq(&tally);
}

#[test]
fn two_crashes_at_any_two_points_of_a_small_workflow_break_no_promise() {
    let tally = check(8, 3..=3, |tally, nodes| tally.exhaust(nodes, "c2", 1500));
    expect![[
        r#"Tally { shapes: 8, cut: 0, schedules: 3598, done: 2013, rolled_back: 1585, stuck: 0 }"#
    ]]
    .assert_eq(&tally);
}

#[test]
fn faults_crashes_rivals_and_cancellations_break_no_promise_of_any_workflow() {
    let tally = check(80, 3..=NODES_MAX, |tally, nodes| {
        let workload = generated(nodes, Faithful);
        tally.shapes += 1;
        for most in ["c2", "c2f2", "t1p3", "c1f1t1p2x1"] {
            for seed in 0..16 {
                let run = run(&workload, &within(budget(most)), Seeded::new(seed));
                if let Some(first_violation) = first_violation(&workload, &run) {
                    let message = format!("{most}, seed {seed}: {first_violation}");
                    return Err(TestCaseError::fail(message));
                }
                tally.count(&run);
            }
        }
        Ok(())
    });
    expect![
        "Tally { shapes: 80, cut: 0, schedules: 5120, done: 2456, rolled_back: 2538, stuck: 126 }"
    ]
    .assert_eq(&tally);
}

/// Repeats the comparison of the fold equality oracle on the final log: every prefix rebuilds, and
/// the whole log rebuilds to the state of the last life.
#[test]
fn every_prefix_of_every_log_rebuilds() {
    let tally = check(120, 3..=NODES_MAX, |tally, nodes| {
        tally.shapes += 1;
        let workload = generated(nodes, Faithful);
        for seed in 0..8 {
            let run = run(&workload, &within(budget("c2f1")), Seeded::new(seed));
            for end in 0..=run.log.len() {
                let state = rebuild(&run.log[..end])
                    .map_err(|error| TestCaseError::fail(error.to_string()))?;
                prop_assert_eq!(state.next_sequence(), end as u64);
            }
            tally.count(&run);
        }
        Ok(())
    });
    expect![
        "Tally { shapes: 120, cut: 0, schedules: 960, done: 512, rolled_back: 424, stuck: 24 }"
    ]
    .assert_eq(&tally);
}

/// A mutant of the engine is caught, and the shape shrinks to the part that matters.
#[test]
fn a_mutant_is_caught_in_a_workflow_that_shrinks_to_what_matters() {
    let outcome = runner(200).run(&shapes(1..=NODES_MAX), |nodes| {
        let workload = generated(&nodes, Without(Rule::CursorBelongsToVisit));
        let run = calm(&workload);
        first_violation(&workload, &run).map_or(Ok(()), |first_violation| {
            Err(TestCaseError::fail(first_violation))
        })
    });
    let Err(TestError::Fail(_, nodes)) = outcome else {
        panic!("the mutant goes unnoticed: {outcome:?}");
    };
    let loops = |node: &Node| matches!(node.kind, Kind::Stepped(1..)) && node.detour.is_some();
    assert!(nodes.len() <= 2, "{nodes:?}");
    assert!(nodes.iter().any(loops), "{nodes:?}");
}
