//! Explores the engine's operations over several runs, in independent parts.

use std::ops::{ControlFlow, Range};

use crate::choices::Exhaustive;
use crate::choices::swarm::Possible;
use crate::explore::{Findings, Pool, explore_seeds};
use crate::fault::Schedule;
use crate::operations::OPERATIONS;
use crate::record::{Judged as _, Operations, Simulated as _};
use crate::sim::Settings;

/// A part of the space of simulations of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsPart(PartOf);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PartOf {
    /// The simulations of these two operations, given by their indices, and of no third.
    Pair(usize, usize),
    /// Not part of the exhaustive exploration: the simulations of these seeds.
    Sampled(Range<u64>),
}

impl OperationsPart {
    /// Every pair of operations.
    pub fn pairs() -> Vec<Self> {
        let pairs = pairs().map(|(first, second)| Self(PartOf::Pair(first, second)));
        pairs.collect()
    }

    /// The simulations of seeds. They may have three operations.
    pub fn sampled(seeds: Range<u64>) -> Self {
        Self(PartOf::Sampled(seeds))
    }
}

/// The choices of every simulation of two operations, given by their indices, and of no third.
fn choices_of_pair(first: usize, second: usize) -> Exhaustive {
    let n = OPERATIONS.len();
    Exhaustive::below(&[(2, 0), (n, first), (n, second)])
}

/// The indices of every two operations.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    let operations = || 0..OPERATIONS.len();
    operations().flat_map(move |first| operations().map(move |second| (first, second)))
}

/// The first simulation in which an oracle objects to operations, and how many were run until then.
pub(super) fn first_objection(
    operations: Operations,
    settings: &Settings,
    oracle: &str,
) -> Option<(u64, Schedule)> {
    let mut schedules = 0;
    for (first, second) in pairs() {
        let mut choices = choices_of_pair(first, second);
        loop {
            let (trial, drawn) = operations.run(settings, choices);
            choices = drawn;
            schedules += 1;
            if trial.verdicts.iter().any(|it| it.oracle == oracle) {
                return Some((schedules, trial.schedule()));
            }
            if !choices.advance() {
                break;
            }
        }
    }
    None
}

/// Runs every simulation of a part within the budget of the settings, and checks each with every
/// oracle.
///
/// # Panics
///
/// If the same choices do not give the same simulation, which is a bug of the simulator's.
pub fn explore_operations_part(
    operations: Operations,
    settings: &Settings,
    part: &OperationsPart,
) -> Findings {
    let mut choices = match &part.0 {
        PartOf::Pair(first, second) => choices_of_pair(*first, *second),
        PartOf::Sampled(seeds) => {
            return explore_seeds(operations, settings, Possible::All, seeds.clone());
        }
    };
    let mut findings = Findings::default();
    loop {
        let (trial, drawn) = operations.run(settings, choices);
        choices = drawn;
        assert_eq!(
            choices.mismatch(),
            None,
            "the same choices are the same simulation"
        );
        findings.add_operations(operations, settings, trial);
        let is_left = choices.advance();
        let has_enough = !findings.nondeterminism.is_empty()
            || findings.violations.len() >= settings.violations_max
            || findings.schedules >= settings.schedules_max;
        if has_enough || !is_left {
            findings.cut_short = is_left;
            return findings;
        }
    }
}

/// Explores every simulation of two operations within the budget of the settings. The findings are the
/// same in every pool.
///
/// ```
/// use crashpoint_simulator::operations::Broken;
/// use crashpoint_simulator::{Operations, Pool, Settings, explore_operations};
///
/// let settings = Settings::within("c1".parse()?);
/// let findings = explore_operations(Pool::of_one(), Operations(None), &settings);
/// assert_eq!(findings.violations, []);
/// let broken = Operations(Some(Broken::StatusLies));
/// let findings = explore_operations(Pool::of_one(), broken, &settings);
/// assert_eq!(findings.violations[0].oracle, "status-is-true");
/// # Ok::<(), crashpoint_simulator::BadBudget>(())
/// ```
pub fn explore_operations(pool: Pool, operations: Operations, settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    let work = |part: &OperationsPart| explore_operations_part(operations, settings, part);
    pool.in_order(&OperationsPart::pairs(), work, |found| {
        findings.merge(found);
        ControlFlow::Continue(())
    });
    findings
}
