//! Decides what a run needs next.

use crate::core::atoms::Label;
use crate::core::event::Cause;
use crate::core::run_state::{FailedUndo, Phase, RunState, Undo, Visit};

/// What a run needs next, by its log alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'a> {
    /// A first claim.
    Begin,
    /// The open visit's task, or the next step of it.
    Do(&'a Visit),
    /// The compensation that is due.
    Undo(&'a Undo),
    /// The row that ends the rollback.
    RecordRolledBack,
    /// Nothing: the run has ended.
    Nothing,
}

/// A durable ending.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The run entered an exit state.
    Done {
        /// The exit state.
        state: Label,
    },
    /// Every compensation succeeded.
    RolledBack {
        /// The state that was open when the rollback started.
        state: Label,
        /// The task of that state.
        task: Label,
        /// Why the rollback started.
        cause: Cause,
    },
    /// The rollback is over, and some compensations failed for good.
    Stuck {
        /// The state that was open when the rollback started.
        state: Label,
        /// The task of that state.
        task: Label,
        /// Why the rollback started.
        cause: Cause,
        /// The failed compensations, in the order of their attempts.
        failed: Vec<FailedUndo>,
    },
}

/// Decides what `state` needs next.
pub fn decide(state: &RunState) -> Decision<'_> {
    let decision = match state.phase() {
        Phase::Unclaimed => Decision::Begin,
        Phase::Forward(visit) => Decision::Do(visit),
        Phase::RollingBack(rollback) => match rollback.pending.last() {
            Some(undo) => Decision::Undo(undo),
            None if rollback.failed.is_empty() => Decision::RecordRolledBack,
            None => Decision::Nothing,
        },
        Phase::Done { .. } | Phase::RolledBack { .. } => Decision::Nothing,
    };
    decision.assert_fits(state);
    decision
}

impl Decision<'_> {
    fn assert_fits(self, state: &RunState) {
        assert_eq!(
            self == Decision::Nothing,
            state.is_terminal() || state.is_stuck(),
            "a run needs nothing exactly when it has ended"
        );
    }
}

impl RunState {
    /// How the run ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        match self.phase() {
            Phase::Done { state } => Some(Ended::Done {
                state: state.clone(),
            }),
            Phase::RolledBack { state, task, cause } => Some(Ended::RolledBack {
                state: state.clone(),
                task: task.clone(),
                cause: cause.clone(),
            }),
            Phase::RollingBack(rollback) if rollback.is_stuck() => Some(Ended::Stuck {
                state: rollback.state.clone(),
                task: rollback.task.clone(),
                cause: rollback.cause.clone(),
                failed: rollback.failed.clone(),
            }),
            Phase::Unclaimed | Phase::Forward(_) | Phase::RollingBack(_) => None,
        }
    }
}

impl Ended {
    /// Whether the log ends with a terminal row. A stuck run has none: it can be claimed again.
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::Stuck { .. })
    }
}
