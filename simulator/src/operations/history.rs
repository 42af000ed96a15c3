//! The events of one simulation, in order: the input of the oracles.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crashpoint::{
    CheckpointRow, Direction, Error, Event, Outcome, Status, StatusPhase, UnfinishedRun,
};
use smol_str::{SmolStr, format_smolstr};

use crate::fault::{Fault, Fired, Schedule};
use crate::operations::operation::Operation;

/// The rows of a run, shared until they change.
pub(super) type Rows = Arc<Vec<CheckpointRow>>;

/// Every event of a simulation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(pub Vec<Entry>);

/// An event, and the caller of the operation that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The number of the caller, from 1. The operation of the last is the recovery at the end.
    pub caller: u8,
    /// The event.
    pub what: What,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// The operation began.
    Began(Operation),
    /// The store listed these runs.
    Listed(Vec<SmolStr>),
    /// The row became durable.
    Landed {
        /// The id of the run.
        id: SmolStr,
        /// The row.
        row: Arc<CheckpointRow>,
    },
    /// The log was cleared.
    Cleared(SmolStr),
    /// A task acted on the world.
    Effect {
        /// The id of the run.
        id: SmolStr,
        /// The task.
        task: SmolStr,
        /// Do or undo.
        direction: Direction,
    },
    /// A process crashed, a call of the store failed, or another caller goes on.
    Fault {
        /// The id of the run. A listing has none.
        id: Option<SmolStr>,
        /// The instant, and what happened there.
        fired: Fired,
    },
    /// The embedded store was opened, and shows another log of the run than it has answered before.
    Found {
        /// The id of the run.
        id: SmolStr,
        /// Its log.
        rows: Arc<Vec<CheckpointRow>>,
    },
    /// The embedded store could not be opened.
    NotOpened(String),
    /// The operation panicked.
    Panicked(String),
    /// The operation neither answered nor waited for anything that comes.
    Hung,
    /// The operation answered.
    Answered(Answer),
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// It has begun and not ended.
    Open,
    /// It entered this exit.
    Done(SmolStr),
    /// Every compensation succeeded.
    RolledBack,
    /// Its compensation failed.
    Stuck,
}

/// The error of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failed {
    /// The engine's stable word for the error.
    pub category: &'static str,
    /// The error for people.
    pub message: String,
}

/// The answer of an operation, as data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Of a recovery.
    Recovered {
        /// The number of runs that it reports as ended before.
        ended: u64,
        /// Its report on every other run.
        runs: BTreeMap<String, Result<Ending, Failed>>,
    },
    /// Of a purge.
    Purged {
        /// The number of logs that it reports as cleared.
        purged: u64,
        /// The number of logs that it reports as kept.
        kept: u64,
        /// The runs that it reports as corrupt.
        corrupt: Vec<String>,
        /// The runs that it reports as not read, or not cleared.
        failed: Vec<String>,
    },
    /// Of a status.
    Status {
        /// The number of rows.
        rows: u64,
        /// The phase.
        ending: Ending,
    },
    /// Of a listing of unfinished runs: the number of rows and the phase of each, or its error.
    Unfinished(BTreeMap<String, Result<(u64, Ending), Failed>>),
    /// Of a life.
    Outcome(Ending),
    /// The operation failed.
    Failed(Failed),
}

impl Ending {
    /// The ending in an outcome, with its states as labels.
    pub(super) fn of<S: fmt::Debug>(outcome: Outcome<S>, label: impl Fn(&S) -> SmolStr) -> Self {
        match outcome {
            Outcome::Done(state) => Self::Done(label(&state)),
            Outcome::RolledBack(_) => Self::RolledBack,
            Outcome::Stuck(_) => Self::Stuck,
        }
    }

    pub(super) fn of_phase(phase: &StatusPhase) -> Self {
        match phase {
            StatusPhase::Stuck { .. } => Self::Stuck,
            StatusPhase::Done { state } => Self::Done(state.into()),
            StatusPhase::RolledBack => Self::RolledBack,
            _ => Self::Open,
        }
    }

    /// The ending that the rows say, without the engine's fold. `None` without rows.
    ///
    /// The workflow of a fleet has one compensatable task, so a run is stuck when its last row
    /// says that an undo failed, and every exit is a state without a task.
    pub(super) fn of_rows<'a>(rows: impl Iterator<Item = &'a CheckpointRow>) -> Option<Self> {
        let mut ending = None;
        for row in rows {
            ending = Some(match Event::from_row(row).ok()? {
                Event::RolledBack => Self::RolledBack,
                Event::CompensationFailed { .. } => Self::Stuck,
                Event::Entered { state, .. } => Self::Done(SmolStr::from(&*state)),
                _ => Self::Open,
            });
        }
        ending
    }

    /// Whether nothing follows it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done(_) | Self::RolledBack)
    }
}

impl History {
    /// What went wrong, in order, and the switches between the operations.
    pub fn schedule(&self) -> Schedule {
        let fired = self.0.iter().filter_map(|entry| match &entry.what {
            What::Fault { fired, .. } => Some(fired.clone()),
            _ => None,
        });
        Schedule(fired.collect())
    }
}

impl Failed {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            category: error.category(),
            message: error.to_string(),
        }
    }
}

impl Answer {
    pub(super) fn of_status(status: &Status) -> Self {
        Self::Status {
            rows: status.rows,
            ending: Ending::of_phase(&status.phase),
        }
    }

    pub(super) fn of_unfinished(runs: Vec<UnfinishedRun>) -> Self {
        let runs = runs.into_iter().map(
            |UnfinishedRun {
                 workflow_id,
                 status,
             }| {
                let status = status.map(|it| (it.rows, Ending::of_phase(&it.phase)));
                (workflow_id, status.map_err(|error| Failed::of(&error)))
            },
        );
        Self::Unfinished(runs.collect())
    }
}

impl fmt::Display for History {
    /// The events, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "caller {}: {}", self.caller, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began(operation) => write!(f, "begins {operation}"),
            Self::Listed(ids) => write!(f, "lists {}", ids.join(", ")),
            Self::Landed { id, row } => {
                let (sequence, kind) = (row.sequence, row.kind.as_str());
                write!(f, "appends {kind} as row {sequence} to {id}")
            }
            Self::Cleared(id) => write!(f, "clears {id}"),
            Self::Effect {
                id,
                task,
                direction: Direction::Do,
            } => write!(f, "does {task} for {id}"),
            Self::Effect { id, task, .. } => write!(f, "undoes {task} for {id}"),
            Self::Fault { fired, .. } => {
                let Fired { point, fault } = fired;
                match fault {
                    Fault::Crash(_) => write!(f, "CRASH at {point}"),
                    Fault::Switch(_) => write!(f, "is overtaken at {point}"),
                    _ => write!(f, "FAULT {fault} at {point}"),
                }
            }
            Self::Found { id, rows } => {
                let rows = rows.len();
                write!(
                    f,
                    "finds a log of {id} with {rows} rows, which the store has not answered"
                )
            }
            Self::NotOpened(message) => write!(f, "can't open the store: {message}"),
            Self::Panicked(message) => write!(f, "panics: {message}"),
            Self::Hung => write!(f, "hangs"),
            Self::Answered(answer) => write!(f, "answers {answer}"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recovered { ended, runs } => {
                write!(f, "{ended} ended before")?;
                runs.iter().try_for_each(|(id, run)| match run {
                    Ok(ending) => write!(f, ", {id} {ending}"),
                    Err(failed) => write!(f, ", {id} {}", failed.category),
                })
            }
            Self::Purged {
                purged,
                kept,
                corrupt,
                failed,
            } => {
                write!(f, "{purged} purged, {kept} kept")?;
                corrupt
                    .iter()
                    .try_for_each(|id| write!(f, ", {id} corrupt"))?;
                failed.iter().try_for_each(|id| write!(f, ", {id} failed"))
            }
            Self::Unfinished(runs) => {
                write!(f, "{} unfinished", runs.len())?;
                runs.iter().try_for_each(|(id, run)| match run {
                    Ok((rows, ending)) => write!(f, ", {id} {ending} after {rows} rows"),
                    Err(failed) => write!(f, ", {id} {}", failed.category),
                })
            }
            Self::Status { rows, ending } => write!(f, "{ending} after {rows} rows"),
            Self::Outcome(ending) => write!(f, "{ending}"),
            Self::Failed(failed) => write!(f, "an error: {}", failed.message),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::Open => SmolStr::new_static("open"),
            Self::Done(state) => format_smolstr!("done in {state}"),
            Self::RolledBack => SmolStr::new_static("rolled back"),
            Self::Stuck => SmolStr::new_static("stuck"),
        })
    }
}
