//! The checks of a simulated run: one file for each promise.
//!
//! An oracle reads the history of a whole simulation, never the engine. It shares only the row
//! codec and the transition function with the engine, and other oracles check these.

mod all_or_nothing;
mod cancellation;
mod case;
mod coverage;
mod cursor;
mod direction;
mod edges;
mod fold_equality;
mod invariants;
mod keys;
mod liveness;
mod log;
mod log_is_dense;
mod no_false_fence;
mod no_hangs;
mod no_panics;
mod no_state_skipped;
mod one_writer;
mod outcome_is_durable;
mod pinned_row;
mod prefixes_resume;
mod refusals_do_nothing;
mod step_order;
mod storage_faults_stay_out;
mod store_keeps_rows;
mod terminal_absorbs;
mod undo_bytes;
mod undo_once;
mod undo_order;
mod visits_rerun;

use crate::sim::{Run, Workload};

pub use case::Case;
pub use log::{Log, Owed, Stored, VisitRecord};

/// A promise, and its check.
#[derive(Debug, Clone, Copy)]
pub struct Oracle {
    /// Its name in reports.
    pub name: &'static str,
    /// The promise, in one line.
    pub promise: &'static str,
    /// The kind of the promise.
    pub kind: Kind,
    check: fn(&Case<'_>) -> Result<(), String>,
}

/// The kind of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something bad never happens.
    Safety,
    /// Something good eventually happens.
    Liveness,
}

/// The name of the oracle for the subject's own invariants.
pub const INVARIANTS: &str = invariants::ORACLE.name;

/// The oracle with this name.
pub fn named(name: &str) -> Option<&'static Oracle> {
    ORACLES.iter().find(|oracle| oracle.name == name)
}

/// Every oracle.
pub const ORACLES: &[Oracle] = &[
    fold_equality::ORACLE,
    prefixes_resume::ORACLE,
    no_panics::ORACLE,
    no_hangs::ORACLE,
    no_state_skipped::ORACLE,
    visits_rerun::ORACLE,
    edges::ORACLE,
    log_is_dense::ORACLE,
    one_writer::ORACLE,
    storage_faults_stay_out::ORACLE,
    terminal_absorbs::ORACLE,
    refusals_do_nothing::ORACLE,
    liveness::ORACLE,
    all_or_nothing::ORACLE,
    direction::ORACLE,
    undo_order::ORACLE,
    undo_once::ORACLE,
    coverage::ORACLE,
    undo_bytes::ORACLE,
    cursor::ORACLE,
    step_order::ORACLE,
    outcome_is_durable::ORACLE,
    pinned_row::ORACLE,
    keys::ORACLE,
    no_false_fence::ORACLE,
    cancellation::ORACLE,
    store_keeps_rows::ORACLE,
    invariants::ORACLE,
];

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The oracle.
    pub oracle: &'static str,
    /// How the promise is broken.
    pub message: String,
}

/// Checks a simulation of `workload` with every oracle.
///
/// If the store lost a row of the log, which no store may, only the oracle for that is used. If a
/// life was stopped, only the oracle that reports it is used.
pub fn judge(workload: &Workload, run: &Run) -> Vec<Verdict> {
    let case = Case::new(workload, run);
    let only = if case.history().is_endless() {
        Some(no_hangs::ORACLE.name)
    } else {
        case.lost_a_row()
            .then_some(refusals_do_nothing::ORACLE.name)
    };
    let asked = ORACLES
        .iter()
        .filter(|oracle| only.is_none_or(|only| oracle.name == only));
    let broken = asked.filter_map(|oracle| {
        let message = (oracle.check)(&case).err()?;
        Some(Verdict {
            oracle: oracle.name,
            message,
        })
    });
    broken.collect()
}
