//! The event at which a promise broke.
//!
//! An oracle judges a whole history and names no event. So it also judges shorter and shorter
//! prefixes, as if the history had ended there. The promise broke at the event after the longest
//! prefix that passes.

use crashpoint::CheckpointRow;

use crate::history::What;
use crate::operations;
use crate::oracle::{self, Kind, Verdict};
use crate::record::OperationsTrial;
use crate::sim::{Run, Workload};

/// The maximum number of events to go back: an endless run has thousands.
const EVENTS_MAX: usize = 1000;

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Broken<'a> {
    /// The verdict of the oracle.
    pub verdict: &'a Verdict,
    /// The promise.
    pub promise: &'static str,
    /// What to change, if the oracle knows.
    pub advice: Option<&'static str>,
    /// Safety: something bad happened. Liveness: something good did not.
    pub kind: Kind,
    /// The place in the history of the event at which it broke, unless only the end shows it.
    pub place: Option<usize>,
}

/// The broken promises in the order in which they broke; at the same event in the order of the
/// oracles.
///
/// # Panics
///
/// Only if this function has a bug: it places no promise outside of the history.
pub fn broken<'a>(workload: &Workload, run: &Run, verdicts: &'a [Verdict]) -> Vec<Broken<'a>> {
    let mut prefix = run.clone();
    let length = prefix.history.0.len();
    placed(verdicts.iter().map(unplaced).collect(), length, |place| {
        prefix.history.0.truncate(place);
        prefix.log = log_of(&prefix);
        oracle::judge(workload, &prefix)
    })
}

/// The same for a simulation of operations.
///
/// # Panics
///
/// As [`broken`].
pub fn broken_operations(trial: &OperationsTrial) -> Vec<Broken<'_>> {
    let mut prefix = trial.simulation.clone();
    let length = prefix.history.0.len();
    let oracles = operations::oracle::ORACLES;
    let unplaced = |verdict| Broken {
        verdict,
        promise: oracles
            .iter()
            .find(|oracle| oracle.name == verdict.oracle)
            .map_or("", |oracle| oracle.promise),
        advice: None,
        kind: Kind::Safety,
        place: None,
    };
    placed(
        trial.verdicts.iter().map(unplaced).collect(),
        length,
        |place| {
            prefix.history.0.truncate(place);
            operations::oracle::judge(&prefix)
        },
    )
}

/// Finds the places of broken promises in a history of this length. `judge` is asked for the verdicts
/// of shorter and shorter prefixes.
fn placed(
    mut broken: Vec<Broken<'_>>,
    length: usize,
    mut judge: impl FnMut(usize) -> Vec<Verdict>,
) -> Vec<Broken<'_>> {
    let is_open = |broken: &Broken<'_>| broken.kind == Kind::Safety && broken.place.is_none();
    for place in (0..length).rev().take(EVENTS_MAX) {
        if !broken.iter().any(is_open) {
            break;
        }
        let still = judge(place);
        for broken in broken.iter_mut().filter(|broken| is_open(broken)) {
            let known = |verdict: &Verdict| verdict.oracle == broken.verdict.oracle;
            if !still.iter().any(known) {
                broken.place = Some(place);
            }
        }
    }
    assert!(
        broken
            .iter()
            .all(|broken| broken.place.is_none_or(|place| place < length)),
        "a place is the length of a proper prefix"
    );
    broken.sort_by_key(|broken| broken.place.unwrap_or(usize::MAX));
    broken
}

fn unplaced(verdict: &Verdict) -> Broken<'_> {
    let oracle = oracle::named(verdict.oracle);
    Broken {
        verdict,
        promise: oracle.map_or("", |oracle| oracle.promise),
        advice: oracle.map(oracle::Oracle::advice),
        kind: oracle.map_or(Kind::Safety, |oracle| oracle.kind),
        place: None,
    }
}

/// The event that a reader wants to see first: where a promise broke, or else the first fault of the schedule.
pub fn first_shown(run: &Run, broken: &[Broken<'_>]) -> Option<usize> {
    let breaks = broken.first().and_then(|first| first.place);
    breaks.or_else(|| run.history.faults().next().map(|(place, ..)| place))
}

/// The log at the end of a prefix, for a store that keeps its contract.
fn log_of(prefix: &Run) -> Vec<CheckpointRow> {
    let mut log: Vec<CheckpointRow> = Vec::new();
    for entry in &prefix.history.0 {
        match &entry.what {
            What::Landed(row) => log.push(CheckpointRow::clone(row)),
            What::Cleared => log.clear(),
            _ => {}
        }
    }
    log.sort_by_key(|row| row.sequence);
    log
}
