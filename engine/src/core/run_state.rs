//! What a log amounts to.
//!
//! A [`RunState`] changes only by applying an event (`transition.rs`); everything here reads it.

use std::sync::Arc;

use crate::core::atoms::{Bytes, Label};
use crate::core::claim::{ClaimRecord, Nonce};
use crate::core::event::{Cause, Undone};

/// A run as its log tells it: the same value whether it was lived or rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunState {
    pub(super) next_sequence: u64,
    pub(super) header: Option<RunHeader>,
    pub(super) phase: Phase,
    /// Shared with the tasks under way, so that giving it to one copies nothing.
    pub(super) completed: Arc<Vec<Completion>>,
}

/// What the claims of a run say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunHeader {
    /// The nonce of the first claim: it tells a run from an earlier one of the same id.
    pub run_id: Nonce,
    /// The serialized input.
    pub input: Bytes,
    /// Wall clock at the first claim, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// How many lives have claimed the run, at least 1.
    pub lives: u64,
    /// The sequence of the newest claim: the fencing token of the present life.
    pub claim_sequence: u64,
    /// The newest claim.
    pub claim: ClaimRecord,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The log is empty.
    Unclaimed,
    /// A state's visit is open.
    Forward(Visit),
    /// The run has turned around.
    RollingBack(Rollback),
    /// The run entered an exit state; terminal.
    Done {
        /// The exit state.
        state: Label,
    },
    /// Every undo succeeded; terminal.
    RolledBack {
        /// The state whose visit was open when the run turned around.
        state: Label,
        /// The task of that state.
        task: Label,
        /// Why it turned around.
        cause: Cause,
    },
}

/// One entry into a state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Visit {
    /// The sequence of the row that entered the state: the visit's id.
    pub id: u64,
    /// The state.
    pub state: Label,
    /// The last durable cursor of this visit.
    pub cursor: Option<Bytes>,
    /// How many cursors this visit has.
    pub cursors: u64,
}

/// A completed compensatable task: what a rollback has to undo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Completion {
    /// The sequence of the completion row.
    pub sequence: u64,
    /// The visit in which the task ran.
    pub visit: u64,
    /// The task.
    pub task: Label,
    /// Its serialized output.
    pub output: Bytes,
}

/// A rollback under way, or stuck.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rollback {
    /// The state whose visit was open when the run turned around.
    pub state: Label,
    /// The task of that state.
    pub task: Label,
    /// Why it turned around.
    pub cause: Cause,
    /// What is still to be undone; the last one comes first.
    pub pending: Vec<Undo>,
    /// What could not be undone, in the order in which it was tried.
    pub failed: Vec<FailedUndo>,
}

/// One thing to undo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Undo {
    /// The row to undo.
    pub undone: Undone,
    /// The visit in which the task ran.
    pub visit: u64,
    /// The task.
    pub task: Label,
    /// Its serialized output; none for a visit in doubt.
    pub output: Option<Bytes>,
}

/// An undo that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FailedUndo {
    /// What was to be undone.
    pub undo: Undo,
    /// What the compensation said last.
    pub error: Box<str>,
}

impl Rollback {
    /// Whether every undo is settled and at least one failed.
    pub fn is_stuck(&self) -> bool {
        self.pending.is_empty() && !self.failed.is_empty()
    }
}

impl RunState {
    /// The state of an empty log.
    pub fn new() -> Self {
        let completed = Arc::default();
        Self {
            next_sequence: 0,
            header: None,
            phase: Phase::Unclaimed,
            completed,
        }
    }

    /// The sequence of the next row, which is the number of rows.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// What the claims say; none while the log is empty.
    pub fn header(&self) -> Option<&RunHeader> {
        self.header.as_ref()
    }

    /// Where the run stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The compensatable tasks that completed, oldest first. It stays whole during a rollback.
    pub fn completed(&self) -> &[Completion] {
        &self.completed
    }

    pub(crate) fn shared_completions(&self) -> Arc<Vec<Completion>> {
        Arc::clone(&self.completed)
    }

    /// The label of the state in which the next life would begin: the open one, the one that
    /// failed, or the exit.
    pub(crate) fn current_state(&self) -> Option<&Label> {
        match &self.phase {
            Phase::Unclaimed => None,
            Phase::Forward(visit) => Some(&visit.state),
            Phase::RollingBack(Rollback { state, .. })
            | Phase::Done { state }
            | Phase::RolledBack { state, .. } => Some(state),
        }
    }

    /// Whether the last row is a terminal one.
    pub fn is_terminal(&self) -> bool {
        matches!(self.phase, Phase::Done { .. } | Phase::RolledBack { .. })
    }

    /// Whether every undo is settled and at least one failed.
    pub fn is_stuck(&self) -> bool {
        matches!(&self.phase, Phase::RollingBack(rollback) if rollback.is_stuck())
    }
}

impl Default for RunState {
    fn default() -> Self {
        Self::new()
    }
}
