//! The checks of a simulation of operations: one file for each promise.
//!
//! An oracle reads the history and the logs with which it began. It shares the codec of a row with
//! the engine, and nothing else.

mod answers_are_durable;
mod case;
mod clears_when_done;
mod no_run_stops_another;
mod one_outcome;
mod one_retry;
mod other_logs_are_corrupt;
mod purge_takes_ended_runs;
mod reports_are_true;
mod status_claims_nothing;
mod status_is_true;
mod unfinished_is_true;

use crate::operations::simulation::Simulation;
use crate::oracle::Verdict;

pub use case::Case;

/// A promise, and its check.
#[derive(Debug, Clone, Copy)]
pub struct Oracle {
    /// Its name in reports.
    pub name: &'static str,
    /// The promise, in one line.
    pub promise: &'static str,
    check: fn(&Case<'_>) -> Result<(), String>,
}

/// Every oracle.
pub const ORACLES: &[Oracle] = &[
    no_run_stops_another::ORACLE,
    reports_are_true::ORACLE,
    purge_takes_ended_runs::ORACLE,
    status_claims_nothing::ORACLE,
    status_is_true::ORACLE,
    one_outcome::ORACLE,
    one_retry::ORACLE,
    unfinished_is_true::ORACLE,
    other_logs_are_corrupt::ORACLE,
    clears_when_done::ORACLE,
    answers_are_durable::ORACLE,
];

/// Checks a simulation with every oracle.
pub fn judge(simulation: &Simulation) -> Vec<Verdict> {
    let case = Case::new(simulation);
    let broken = ORACLES.iter().filter_map(|oracle| {
        let message = (oracle.check)(&case).err()?;
        Some(Verdict {
            oracle: oracle.name,
            message,
        })
    });
    broken.collect()
}
