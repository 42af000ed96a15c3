//! The runs that a store has when the operations begin. An earlier process left them, and is dead.

use serde::{Deserialize, Serialize};

/// The name of the workflow that a recovery knows.
pub(super) const KNOWN: &str = "job";

/// The name of a workflow that no recovery knows.
pub(super) const UNKNOWN: &str = "job-of-another-program";

/// The state of a run when the operations begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// A row of its log does not decode.
    Corrupt,
    /// The store can't read its rows.
    Damaged,
    /// The store shows the log of another run, which has ended.
    Mixed,
    /// It ended as done or rolled back.
    Ended,
    /// It has begun and not ended. Whoever resumes it brings it to an end.
    Unfinished,
    /// It has begun, and the code that reads its output panics.
    Poisoned,
    /// Its compensation failed.
    Stuck,
    /// It has begun, and belongs to a workflow that no recovery knows.
    Unknown,
    /// It has no log.
    Absent,
}

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Course {
    Succeeds,
    /// The second task fails, and the undo of the first succeeds.
    Fails,
    /// The second task panics, and the undo of the first succeeds.
    Panics,
    /// The second task fails. The undo of the first fails until the undos are repaired.
    Sticks,
}

/// A run of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its id. A listing is in the order of the ids, so the bad runs come first.
    pub id: &'static str,
    /// Its state when the operations begin.
    pub health: Health,
    pub(super) course: Course,
    pub(super) workflow: &'static str,
    /// The number of rows that the earlier process appended before it died.
    pub(super) rows_max: usize,
}

const fn run(id: &'static str, health: Health, course: Course, rows_max: usize) -> Run {
    Run {
        id,
        health,
        course,
        workflow: KNOWN,
        rows_max,
    }
}

/// More rows than any run of the fleet has.
pub(super) const WHOLE: usize = usize::MAX;

/// The id of the healthy run that has begun and not ended.
pub(super) const OPEN: &str = "open";
/// The id of the run that is done.
pub(super) const DONE: &str = "done";
/// The id of the stuck run.
pub(super) const STUCK: &str = "stuck";
/// The id for which the store shows the log of another run.
pub(super) const MIXED: &str = "mixed";
/// The id without a log.
pub(super) const NEW: &str = "new";

/// The fleet, by ascending id.
pub const RUNS: &[Run] = &[
    run("corrupt", Health::Corrupt, Course::Succeeds, 2),
    run("damaged", Health::Damaged, Course::Succeeds, 2),
    run(DONE, Health::Ended, Course::Succeeds, WHOLE),
    run("failed", Health::Ended, Course::Fails, WHOLE),
    run(MIXED, Health::Mixed, Course::Succeeds, WHOLE),
    run(NEW, Health::Absent, Course::Succeeds, 0),
    run(OPEN, Health::Unfinished, Course::Succeeds, 2),
    run("panics", Health::Unfinished, Course::Panics, 2),
    run("poisoned", Health::Poisoned, Course::Succeeds, 2),
    run(STUCK, Health::Stuck, Course::Sticks, WHOLE),
    Run {
        workflow: UNKNOWN,
        ..run("unknown", Health::Unknown, Course::Succeeds, 2)
    },
];

impl Health {
    /// Whether its log can't be used.
    pub(super) fn is_bad(self) -> bool {
        self == Self::Damaged || self.is_corrupt()
    }

    /// Whether its log is read, and is not a legal log of its id.
    pub(super) fn is_corrupt(self) -> bool {
        matches!(self, Self::Corrupt | Self::Mixed)
    }
}

impl Run {
    /// The run with this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        RUNS.iter().find(|run| run.id == id)
    }
}

/// The state of a run when the operations begin.
pub(super) fn health(id: &str) -> Health {
    Run::named(id).map_or(Health::Absent, |run| run.health)
}
