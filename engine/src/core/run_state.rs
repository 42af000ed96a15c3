//! The state of a run, folded from its log.
//!
//! A [`RunState`] changes only by applying an event (`transition.rs`); everything here reads it.

use crate::core::atoms::{Bytes, Label};
use crate::core::claim::{ClaimRecord, Nonce};
use crate::core::completions::Completions;
use crate::core::event::{Cause, Polled, Undone};
use crate::core::outputs::Outputs;

/// The state of a run. A live run and a rebuilt log give the same value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunState {
    pub(super) next_sequence: u64,
    pub(super) header: Option<RunHeader>,
    pub(super) phase: Phase,
    /// Shared with the tasks, so that neither handing it over nor an append copies anything.
    pub(super) completed: Completions,
    /// Shared in the same way.
    pub(super) outputs: Outputs,
}

/// The content of the claims of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunHeader {
    /// The nonce of the first claim. It distinguishes the run from an earlier run of the same id.
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

/// The phase of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The log is empty.
    Unclaimed,
    /// A state's visit is open.
    Forward(Visit),
    /// The run is rolling back, or stuck.
    RollingBack(Rollback),
    /// The run entered an exit state; terminal.
    Done {
        /// The exit state.
        state: Label,
    },
    /// Every compensation succeeded; terminal.
    RolledBack {
        /// The state that was open when the rollback started.
        state: Label,
        /// The task of that state.
        task: Label,
        /// Why the rollback started.
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
    /// The number of cursors of this visit.
    pub cursors: u64,
    /// The deadline of the visit's timer, once it is set: wall clock, in milliseconds since 1970-01-01
    /// UTC.
    pub deadline_unix_ms: Option<u64>,
    /// What the log says of the rounds of the visit, if its task polls.
    pub polled: Option<Polled>,
}

/// A rollback under way, or stuck.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rollback {
    /// The state that was open when the rollback started.
    pub state: Label,
    /// The task of that state.
    pub task: Label,
    /// Why the rollback started.
    pub cause: Cause,
    /// The pending undos. The last element is due first.
    pub pending: Vec<Undo>,
    /// The failed undos, in the order of their attempts.
    pub failed: Vec<FailedUndo>,
}

/// An undo: the effect that a compensation reverses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Undo {
    /// The row to undo.
    pub undone: Undone,
    /// The visit in which the task ran.
    pub visit: u64,
    /// The task.
    pub task: Label,
    /// Its serialized output; none for a visit of unknown outcome.
    pub output: Option<Bytes>,
}

/// An undo that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FailedUndo {
    /// The undo.
    pub undo: Undo,
    /// The last error of the compensation.
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
        Self {
            next_sequence: 0,
            header: None,
            phase: Phase::Unclaimed,
            completed: Completions::default(),
            outputs: Outputs::default(),
        }
    }

    /// The sequence of the next row; also the number of rows.
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// The content of the claims; none while the log is empty.
    pub fn header(&self) -> Option<&RunHeader> {
        self.header.as_ref()
    }

    /// The phase of the run.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The completed compensatable tasks, oldest first. A rollback removes none.
    pub fn completed(&self) -> &Completions {
        &self.completed
    }

    /// The newest output of each plain task.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The label of the state in which the next life begins: the open state, the state that was open
    /// when the rollback started, or the exit.
    pub(crate) fn current_state(&self) -> Option<&Label> {
        match &self.phase {
            Phase::Unclaimed => None,
            Phase::Forward(visit) => Some(&visit.state),
            Phase::RollingBack(Rollback { state, .. })
            | Phase::Done { state }
            | Phase::RolledBack { state, .. } => Some(state),
        }
    }

    /// Whether the last row is terminal.
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
