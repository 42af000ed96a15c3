//! What a life asks for, and what it is told: the words between the machine and whoever drives it.

use std::time::Duration;

use crate::core::atoms::Bytes;
use crate::core::decide::Ended;
use crate::core::definition::Mismatch;
use crate::core::event::{Cause, CauseKind};
use crate::core::run_state::{Undo, Visit};
use crate::core::transition::RebuildError;
use crate::recovery::CheckpointRow;

/// What a life asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Load the log.
    Load,
    /// Append the row.
    Append(&'a CheckpointRow),
    /// Wait.
    Pause(Duration),
    /// Perform an action of the workflow.
    Perform {
        /// The action.
        work: &'a Work,
        /// Which attempt of this life it is, from 1.
        attempt: u32,
    },
    /// Clear the log.
    Clear,
    /// Nothing any more.
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
        /// What to undo.
        undo: Undo,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Of [`Command::Load`]; an error says only that there was one.
    Loaded(Result<Vec<CheckpointRow>, StoreFailed>),
    /// Of [`Command::Append`]. A conflict and a fault are the same: the row may be durable.
    Appended(Result<(), StoreFailed>),
    /// Of [`Command::Pause`].
    Paused,
    /// Of [`Command::Perform`].
    Performed(Performed),
    /// Of [`Command::Clear`], whether it succeeded or not.
    Cleared,
}

/// A store's operation failed; how is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreFailed;

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Performed {
    /// The task completed; `output` is what a compensatable one leaves.
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
    /// What the task said.
    pub message: String,
}

/// Whether another attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// It may.
    Retry,
    /// It will not.
    Fatal,
    /// The attempt took too long; another may help.
    Timeout,
}

/// How a life ended: with a durable ending of the run, or without.
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
        /// The sequence of an unresolved append.
        in_doubt: Option<u64>,
    },
    /// The log and the definition do not fit.
    Mismatch(Mismatch),
    /// The log breaks the rules of a log.
    Corrupt(RebuildError),
}

impl Failure {
    /// Why the run turns around, where there is no further attempt.
    pub(super) fn into_cause(self) -> Cause {
        let kind = match self.kind {
            FailureKind::Timeout => CauseKind::Timeout,
            FailureKind::Retry | FailureKind::Fatal => CauseKind::Failure,
        };
        Cause::new(kind, &self.message)
    }
}
