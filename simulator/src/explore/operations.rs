//! Explores the engine's operations over several runs, in independent parts.

use std::ops::{ControlFlow, Range};

use crate::choices::Exhaustive;
use crate::choices::swarm::Possible;
use crate::explore::{Findings, Pool, explore_seeds};
use crate::fault::Schedule;
use crate::operations::{Broken, OPERATIONS, Operation, THREE};
use crate::record::{Judged as _, Operations, Simulated as _};
use crate::sim::{Settings, StoreKind};

/// A part of the space of simulations of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsPart(PartOf);

#[derive(Debug, Clone, PartialEq, Eq)]
enum PartOf {
    /// The simulations of these operations, given by their indices.
    Drawn(Vec<usize>),
    /// Not part of the exhaustive exploration: the simulations of these seeds.
    Sampled(Range<u64>),
}

impl OperationsPart {
    /// Every two operations that can meet in a run, and some three. Where something goes wrong, the three
    /// are left to the samples, and where the store fails, `unfinished` beside another operation on all runs
    /// is. Over the embedded store three are always left to the samples.
    pub fn within(settings: &Settings) -> Vec<Self> {
        let budget = settings.budget;
        let is_embedded = settings.store != StoreKind::Memory;
        let is_exhausted = |indices: &Vec<usize>| {
            let operations = || indices.iter().map(|index| OPERATIONS[*index]);
            let are_on_all = operations().all(|operation| operation.run().is_none());
            let lists = operations().any(|operation| operation == Operation::Unfinished);
            match indices.len() {
                2 => budget.faults == 0 || !(are_on_all && lists),
                _ => !is_embedded && budget.crashes == 0 && budget.faults == 0,
            }
        };
        let drawn = drawn().into_iter().filter(is_exhausted);
        drawn.map(|indices| Self(PartOf::Drawn(indices))).collect()
    }

    /// The simulations of seeds. They may have three operations.
    pub fn sampled(seeds: Range<u64>) -> Self {
        Self(PartOf::Sampled(seeds))
    }
}

/// The choices of every simulation of two or three operations, given by their indices.
fn choices_of(indices: &[usize]) -> Exhaustive {
    let mut prefix = vec![(2, indices.len() - 2)];
    prefix.extend(indices.iter().map(|index| (OPERATIONS.len(), *index)));
    Exhaustive::below(&prefix)
}

/// The indices of the operations of [`THREE`], and of every two that can meet in a run.
fn drawn() -> Vec<Vec<usize>> {
    let operations = || OPERATIONS.iter().enumerate();
    let pairs = operations().flat_map(|first| operations().map(move |second| (first, second)));
    let meet = pairs.filter(|((_, first), (_, second))| first.meets(**second));
    let meet = meet.map(|((first, _), (second, _))| vec![first, second]);
    let index = |operation| {
        let index = OPERATIONS.iter().position(|it| it == operation);
        index.expect("an operation of three is among the operations")
    };
    let three = THREE.iter().map(|three| three.iter().map(index).collect());
    three.chain(meet).collect()
}

/// The first simulation of a broken operation in which an oracle objects, and how many were run until
/// then.
pub(super) fn first_objection(broken: Broken, oracle: &str) -> Option<(u64, Schedule)> {
    let operations = Operations(Some(broken));
    let settings = broken.settings();
    let is_broken = |indices: &Vec<usize>| {
        let mut operations = indices.iter().map(|index| OPERATIONS[*index]);
        operations.any(|operation| broken.breaks(operation))
    };
    let mut schedules = 0;
    for indices in drawn().into_iter().filter(is_broken) {
        let mut choices = choices_of(&indices);
        loop {
            let (trial, drawn) = operations.run(&settings, choices);
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
        PartOf::Drawn(indices) => choices_of(indices),
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

/// Explores every simulation of two operations that can meet, and of some three, within the budget of
/// the settings. The findings are the
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
    pool.in_order(&OperationsPart::within(settings), work, |found| {
        findings.merge(found);
        ControlFlow::Continue(())
    });
    findings
}
