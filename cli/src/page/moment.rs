//! Since when a promise is broken.
//!
//! An oracle judges a whole history and says no place. It is asked about ever shorter prefixes, as
//! if the history had ended there; the event after the longest one that it does not object to is
//! the one since which the promise is broken.

use crashpoint::CheckpointRow;
use crashpoint_simulator::oracle::{self, Kind, Oracle, Verdict};
use crashpoint_simulator::{Run, What};

use crate::page::Schedule;

/// How far back a prefix is looked for, in events: a run that goes in circles has thousands.
const EVENTS_MAX: usize = 1000;

/// A broken promise.
#[derive(Debug, Clone)]
pub struct Broken<'a> {
    /// What the oracle says.
    pub verdict: &'a Verdict,
    /// What it promises.
    pub promise: &'static str,
    /// Whether something bad happened, or nothing good.
    pub kind: Kind,
    /// The place in the history of the event since which it is broken; none where only the end
    /// shows it.
    pub place: Option<usize>,
}

/// The broken promises, in the order in which they broke; of those that broke at once the one that
/// the oracles' list has first.
pub fn broken<'a>(schedule: &Schedule<'a>) -> Vec<Broken<'a>> {
    let mut broken: Vec<Broken<'a>> = schedule.verdicts.iter().map(unplaced).collect();
    let mut prefix = schedule.run.clone();
    let is_open = |broken: &Broken<'_>| broken.kind == Kind::Safety && broken.place.is_none();
    for _ in 0..EVENTS_MAX {
        if prefix.history.0.pop().is_none() || !broken.iter().any(is_open) {
            break;
        }
        prefix.log = log_of(&prefix);
        let still = oracle::judge(schedule.workload, &prefix);
        let place = prefix.history.0.len();
        for broken in broken.iter_mut().filter(|broken| is_open(broken)) {
            let known = |verdict: &Verdict| verdict.oracle == broken.verdict.oracle;
            if !still.iter().any(known) {
                broken.place = Some(place);
            }
        }
    }
    broken.sort_by_key(|broken| broken.place.unwrap_or(usize::MAX));
    broken
}

fn unplaced(verdict: &Verdict) -> Broken<'_> {
    let oracle = oracle::named(verdict.oracle);
    Broken {
        verdict,
        promise: oracle.map_or("", |oracle| oracle.promise),
        kind: oracle.map_or(Kind::Safety, Oracle::kind),
        place: None,
    }
}

/// What the store holds at the end of a prefix, if it kept its word.
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
