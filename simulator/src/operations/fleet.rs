//! The runs that a store has when the operations begin. An earlier process left them, and is dead.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crashpoint::{CheckpointRow, Error, Status};
use futures_util::FutureExt as _;

use crate::executor::quietly;
use crate::operations::state::State;
use crate::operations::store::{Caller, Store};
use crate::operations::workflow::{Course, Job, KNOWN, POISONED, UNKNOWN, workflow};

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

/// A run of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its id. A listing is in the order of the ids, so the bad runs come first.
    pub id: &'static str,
    /// Its state when the operations begin.
    pub health: Health,
    course: Course,
    workflow: &'static str,
    /// The number of rows that the earlier process appended before it died.
    rows_max: usize,
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
const WHOLE: usize = usize::MAX;

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

/// The rows of a run, shared until they change.
pub(super) type Rows = Arc<Vec<CheckpointRow>>;

/// The logs of the fleet, by id. They are made by a real engine, once.
pub(super) fn logs() -> BTreeMap<&'static str, Rows> {
    static LOGS: LazyLock<BTreeMap<&'static str, Rows>> = LazyLock::new(|| {
        let logs = RUNS.iter().filter(|run| run.health != Health::Absent);
        logs.map(|run| (run.id, Arc::new(log(run)))).collect()
    });
    LOGS.clone()
}

/// Runs the engine until the run ends or has its rows, and then drops it like a crash.
fn log(run: &Run) -> Vec<CheckpointRow> {
    let state = State::of_an_earlier_process();
    let store = Store::dying_after(Caller::of_an_earlier_process(&state), run.rows_max);
    let engine = store.engine();
    let workflow = workflow(run.workflow, store.caller());
    let made_as = match run.health {
        Health::Mixed => DONE,
        _ => run.id,
    };
    let life = engine.run(&workflow, made_as, Job::Reserve, &run.course);
    // The store answers at once, or never.
    let life = quietly(|| life.now_or_never());
    assert_eq!(
        life.is_some(),
        run.rows_max == WHOLE,
        "a run that is not whole has not ended"
    );
    let mut rows = state.rows_of(made_as);
    let last = rows.last_mut().expect("the run has begun");
    match run.health {
        Health::Corrupt => last.state.clear(),
        Health::Poisoned => last.output_blob = Some(POISONED.to_vec()),
        _ => {}
    }
    let status = Status::of_log(run.id, &rows);
    assert_eq!(
        matches!(status, Err(Error::CorruptLog { .. })),
        run.health.is_corrupt(),
        "a row without a state does not decode, and a claim names its run"
    );
    rows
}
