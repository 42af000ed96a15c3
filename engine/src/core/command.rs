//! The commands of a life, the replies to them, and how a life ends.

use std::borrow::Cow;
use std::time::Duration;

use crate::core::atoms::Bytes;
use crate::core::decide::Ended;
use crate::core::definition::Mismatch;
use crate::core::event::{Cause, CauseKind};
use crate::core::row::CheckpointRow;
use crate::core::run_state::{Undo, Visit};
use crate::core::transition::RebuildError;

/// A request of a life to the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Load the log.
    Load,
    /// Append the row.
    Append(&'a CheckpointRow),
    /// Wait.
    Pause(Duration),
    /// Read the wall clock.
    ReadClock,
    /// Perform an action of the workflow.
    Perform {
        /// The action.
        work: &'a Work,
        /// The number of the attempt in this life, from 1.
        attempt: u32,
    },
    /// Clear the log.
    Clear,
    /// Stop: the life has ended.
    Finish(&'a Verdict),
}

/// An action of the workflow, with the state whose task it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Work {
    /// Run the open visit's task, or its next step.
    Do {
        /// The state's index.
        state: usize,
        /// The visit.
        visit: Visit,
    },
    /// Run a compensation.
    Undo {
        /// The index of the state whose task it is.
        state: usize,
        /// The undo to perform.
        undo: Undo,
    },
}

/// The reply to a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply {
    /// To [`Command::Load`]. The machine needs no more of an error than that it happened.
    Loaded(Result<Vec<CheckpointRow>, StoreFailed>),
    /// To [`Command::Append`]. A conflict and a fault are alike: the row may be durable.
    Appended(Result<(), StoreFailed>),
    /// To [`Command::Pause`].
    Paused,
    /// To [`Command::ReadClock`].
    Clock {
        /// The wall clock, in milliseconds since 1970-01-01 UTC. It may have jumped.
        unix_ms: u64,
    },
    /// To [`Command::Perform`].
    Performed(Performed),
    /// To [`Command::Clear`], after success and after failure.
    Cleared,
}

/// An operation of the store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreFailed;

/// The result of an action.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Performed {
    /// The task completed; `output` is that of a compensatable task.
    Completed {
        /// The index of the state to enter.
        next: usize,
        /// The serialized output.
        output: Option<Bytes>,
    },
    /// A stepped task advanced.
    Stepped {
        /// The serialized cursor.
        cursor: Bytes,
    },
    /// A timer has found out its deadline.
    Waits {
        /// The wall clock at which the timer ends, in milliseconds since 1970-01-01 UTC.
        deadline_unix_ms: u64,
    },
    /// A polling task is not ready.
    Pending {
        /// The pause before its next round.
        delay: Duration,
    },
    /// The compensation succeeded.
    Undone,
    /// The attempt failed.
    Failed(Failure),
    /// The attempt was dropped because the run was cancelled.
    Cancelled,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// Whether another attempt may help.
    pub kind: FailureKind,
    /// The error message of the task, or the message of its panic.
    pub message: String,
}

/// Whether another attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Another attempt may help.
    Retry,
    /// No further attempt will help.
    Fatal,
    /// The attempt exceeded its time limit; another attempt may help.
    Timeout,
    /// The attempt panicked, which is a bug; no other attempt is made.
    Panic,
    /// A value can't be written to the log as JSON, or not read back from there, which is a bug; no
    /// other attempt is made.
    Unserializable,
}

/// How a life ended: with a durable ending of the run, or with the reason why there is none.
pub type Verdict = Result<Ended, Halt>;

/// Why a life ended although the run has not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Halt {
    /// The id has a log already.
    AlreadyExists,
    /// The id has no log.
    NotFound,
    /// The run isn't stuck.
    NotStuck,
    /// Another life has taken over.
    Fenced,
    /// The store failed.
    Suspended {
        /// The sequence of an append of unknown outcome.
        in_doubt: Option<u64>,
    },
    /// The log does not fit the definition.
    Mismatch(Mismatch),
    /// The log is corrupt.
    Corrupt(RebuildError),
}

impl Failure {
    /// The cause of the rollback, if no attempt is left.
    pub(super) fn into_cause(self) -> Cause {
        let kind = match self.kind {
            FailureKind::Timeout => CauseKind::Timeout,
            FailureKind::Retry
            | FailureKind::Fatal
            | FailureKind::Panic
            | FailureKind::Unserializable => CauseKind::Failure,
        };
        Cause::new(kind, &self.text())
    }

    /// The message as the log and an operator have it.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self.kind {
            FailureKind::Panic => format!("panicked: {}", self.message).into(),
            FailureKind::Retry
            | FailureKind::Fatal
            | FailureKind::Timeout
            | FailureKind::Unserializable => self.message.as_str().into(),
        }
    }
}
