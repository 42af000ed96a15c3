//! The events of one simulation, in order: the input of the oracles.

mod ending;
mod life_end;
mod recorder;
mod world;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::{CheckpointRow, Direction, RowKind};

use smol_str::SmolStr;

use crate::fault::{Fired, Schedule};

pub use ending::Ending;
pub use life_end::{LifeEnd, Refusal};
pub(crate) use recorder::Crashes;
pub use recorder::{CrashPlace, Recorder};
pub(crate) use world::World;
pub use world::{Effect, Receiver, Reception};

/// All events, oldest first. A copy is cheap, because large parts of an entry are shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(pub Vec<Entry>);

/// An event, and its life (from 1; 0 for an event of no life, such as a late append that lands).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The life, from 1, or 0.
    pub life: u32,
    /// The event.
    pub what: What,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// A life began.
    Began(Opening),
    /// A life sent a row.
    Sent(Arc<CheckpointRow>),
    /// A row became durable.
    Landed(Arc<CheckpointRow>),
    /// An append returned an error to the life.
    AppendFailed {
        /// The row's sequence.
        sequence: u64,
    },
    /// An append returned success to the life.
    Acknowledged {
        /// The row's sequence.
        sequence: u64,
    },
    /// A load returned these rows to the life.
    Loaded(Arc<[CheckpointRow]>),
    /// A load returned an error to the life.
    LoadFailed,
    /// The life applied a row.
    Applied {
        /// The row's sequence.
        sequence: u64,
        /// The live and the rebuilt state, if they differ.
        mismatch: Option<Box<str>>,
    },
    /// The life began an attempt of a task.
    Started(Attempt),
    /// The attempt ended.
    Finished {
        /// The task.
        task: SmolStr,
        /// Do or undo.
        direction: Direction,
        /// Whether it succeeded.
        succeeded: bool,
    },
    /// A timer began to wait.
    Waits {
        /// The timer.
        task: SmolStr,
        /// The sequence of the row that entered its visit.
        visit: u64,
        /// The wall clock at which the wait is over unless it jumps, in milliseconds since 1970-01-01
        /// UTC.
        until_unix_ms: u64,
    },
    /// A poll ran out of time: the life sends the start of the rollback for the first time.
    PollTimedOut {
        /// The polling task.
        task: SmolStr,
        /// The sequence of the row that entered its visit.
        visit: u64,
        /// The wall clock, in milliseconds since 1970-01-01 UTC.
        unix_ms: u64,
    },
    /// A timer ended: the life sends the row for the first time.
    TimerEnded {
        /// The timer.
        task: SmolStr,
        /// The sequence of the row that entered its visit.
        visit: u64,
        /// The wall clock, in milliseconds since 1970-01-01 UTC.
        unix_ms: u64,
    },
    /// An effect reached the world.
    Effect(Arc<Effect>),
    /// A task put a line into the timeline.
    Noted(SmolStr),
    /// An invariant of the subject's world does not hold at this instant.
    Broken {
        /// The name of the invariant.
        name: SmolStr,
        /// How it is broken.
        message: String,
    },
    /// The log was cleared.
    Cleared,
    /// The store under test failed without a fault of the schedule.
    StoreFailed(String),
    /// A fault fired.
    Fault(Fired),
    /// The life returned its result to its caller.
    Returned(LifeEnd),
    /// The life panicked, or one of its tasks did so without permission: a bug.
    Panicked(String),
    /// An attempt failed because a value can't be written to the log, or not read back: a bug.
    Unserializable(String),
    /// The life had to be stopped: a bug.
    Stopped(Stopped),
    /// The life has not ended and waits for nothing: a bug.
    Stalled,
}

/// How a life begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opening {
    /// As a new run.
    Start,
    /// From the log, if there is one.
    Resume,
    /// From the log of a stuck run.
    RetryStuck,
    /// Beside another life, as a new run or from the log.
    Rival,
    /// From the log, after the last fault.
    Verify,
}

/// An attempt of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The task.
    pub task: SmolStr,
    /// Do or undo.
    pub direction: Direction,
    /// The sequence of the row that entered the visit.
    pub visit: u64,
    /// The number of durable cursors of the visit.
    pub step: u64,
    /// The number of the round of the visit, from 1; 0 unless the task polls.
    pub round: u64,
    /// The wall clock at its beginning, in milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
    /// The number of the attempt in this life, from 1.
    pub attempt: u32,
}

/// Why a life had to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stopped {
    /// It would never have ended.
    Endless,
    /// A task that it spawned would have run for ever without waiting.
    Spinning,
    /// It waited again and again, for something that does not happen.
    Circling {
        /// How often it waited.
        waits: u32,
        /// How long it waited the last time, in virtual time.
        last: Duration,
    },
    /// It waited while tasks that it had spawned woke up again and again.
    Woken {
        /// How often they woke up.
        wakes: u32,
    },
    /// It asked tokio for a thread, which cannot be simulated.
    WantsThread,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Circling { waits, last } => {
                write!(f, "it waited {waits} times, the last time ")?;
                return match *last {
                    Duration::ZERO => f.write_str("without any time passing"),
                    last => write!(f, "for {last:?}"),
                };
            }
            Self::Woken { wakes } => {
                return write!(f, "its spawned tasks woke up {wakes} times while it waited");
            }
            Self::Endless => "it never ended and was stopped",
            Self::Spinning => "a spawned task never waits for anything, and was stopped",
            Self::WantsThread => {
                "a task asked tokio for a thread (`spawn_blocking`, or a call that uses it, such as \
                 those of `tokio::fs`), which can't be simulated: do it inline in the test, or behind \
                 a trait of yours"
            }
        })
    }
}

impl Schedule {
    /// The faults of a simulation.
    pub fn of(history: &History) -> Self {
        Self(history.faults().map(|(.., fired)| fired.clone()).collect())
    }
}

/// Whether a row became durable since the last clear of its log, among the events of its run.
pub(crate) fn has_landed<'a>(
    run: impl DoubleEndedIterator<Item = &'a Entry>,
    row: &CheckpointRow,
) -> bool {
    let mut newest = run.rev().take_while(|entry| entry.what != What::Cleared);
    newest.any(|entry| matches!(&entry.what, What::Landed(landed) if **landed == *row))
}

impl History {
    /// Whether a life was stopped because it would never have ended.
    pub fn is_endless(&self) -> bool {
        let mut entries = self.0.iter();
        entries.any(|entry| match &entry.what {
            What::Stopped(why) => *why != Stopped::WantsThread,
            _ => false,
        })
    }

    /// Whether the last two lives that returned were both refused.
    pub(crate) fn is_stranded(&self) -> bool {
        let refused = |entry: &Entry| match &entry.what {
            What::Returned(end) => Some(matches!(end, LifeEnd::Refused(_))),
            _ => None,
        };
        let mut newest = self.0.iter().rev().filter_map(refused);
        newest.next() == Some(true) && newest.next() == Some(true)
    }

    pub(crate) fn push(&mut self, life: u32, what: What) {
        self.0.push(Entry { life, what });
    }

    /// The entries of one kind, each with its index and life.
    pub fn select<'a, T>(
        &'a self,
        pick: impl Fn(&'a What) -> Option<T> + 'a,
    ) -> impl Iterator<Item = (usize, u32, T)> + 'a {
        let entries = self.0.iter().enumerate();
        entries.filter_map(move |(place, entry)| Some((place, entry.life, pick(&entry.what)?)))
    }

    /// The rows that became durable, in that order.
    pub fn landed(&self) -> impl Iterator<Item = (usize, u32, &CheckpointRow)> {
        self.select(|what| match what {
            What::Landed(row) => Some(&**row),
            _ => None,
        })
    }

    /// The edges that the log took, in order, as labels of states: from, and to.
    pub fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut at: Option<&str> = None;
        let entries = self.0.iter();
        entries.filter_map(move |entry| {
            let row = match &entry.what {
                What::Landed(row) => row,
                What::Cleared => {
                    at = None;
                    return None;
                }
                _ => return None,
            };
            match row.kind {
                RowKind::Claim => {
                    at.get_or_insert(&row.state);
                    None
                }
                RowKind::StateEntry
                | RowKind::TaskOutput
                | RowKind::Routed
                | RowKind::CompensationCompletion => {
                    Some((at.replace(&row.state)?, row.state.as_str()))
                }
                _ => None,
            }
        })
    }

    /// The attempts that began.
    pub fn started(&self) -> impl Iterator<Item = (usize, u32, &Attempt)> {
        self.select(|what| match what {
            What::Started(attempt) => Some(attempt),
            _ => None,
        })
    }

    /// The effects that reached the world.
    pub fn effects(&self) -> impl Iterator<Item = (usize, u32, &Effect)> {
        self.select(|what| match what {
            What::Effect(effect) => Some(&**effect),
            _ => None,
        })
    }

    /// Whether the effect at a place came after its attempt had ended, as of a spawned task.
    pub fn is_late(&self, place: usize) -> bool {
        let Some(Entry {
            life,
            what: What::Effect(effect),
        }) = self.0.get(place)
        else {
            return false;
        };
        let by = |attempt: &Attempt| {
            let action = (&attempt.task, attempt.direction, attempt.visit);
            action == (&effect.task, effect.direction, effect.visit)
                && attempt.attempt == effect.attempt
        };
        !self.under_way(*life, place).is_some_and(by)
    }

    /// The results that lives returned.
    pub fn returned(&self) -> impl Iterator<Item = (usize, u32, &LifeEnd)> {
        self.select(|what| match what {
            What::Returned(end) => Some(end),
            _ => None,
        })
    }

    /// The outcome that was returned last.
    pub fn outcome(&self) -> Option<&LifeEnd> {
        self.outcome_of(|_| true)
    }

    /// The outcome that the lives of a run returned last.
    pub(crate) fn outcome_of(&self, is_own: impl Fn(u32) -> bool) -> Option<&LifeEnd> {
        let outcomes = self.returned();
        let outcomes = outcomes.filter(|(_, life, end)| is_own(*life) && end.is_outcome());
        outcomes.last().map(|(.., end)| end)
    }

    /// The faults that fired.
    pub fn faults(&self) -> impl Iterator<Item = (usize, u32, &Fired)> {
        self.select(|what| match what {
            What::Fault(fired) => Some(fired),
            _ => None,
        })
    }
}
