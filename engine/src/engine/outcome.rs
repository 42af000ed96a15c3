//! The durable endings of a run.

use crate::core::{Cause, Definition, Ended, Label, Undone};
use crate::state::State;

/// The durable ending of a run. Every later resume returns the same outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<S> {
    /// The run entered this exit state.
    Done(S),
    /// The run rolled back: every compensation succeeded.
    RolledBack(RolledBack<S>),
    /// The run rolled back, and some compensations failed for good.
    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck) tries them again.
    Stuck(Stuck<S>),
}

/// A run that rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack<S> {
    /// The state that was open when the rollback started.
    pub state: S,
    /// The task of that state.
    pub task: String,
    /// Why the rollback started.
    pub cause: Cause,
}

/// A run whose rollback is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck<S> {
    /// The state that was open when the rollback started.
    pub state: S,
    /// The task of that state.
    pub task: String,
    /// Why the rollback started.
    pub cause: Cause,
    /// The failed compensations, in the order of their attempts; at least one.
    pub leftovers: Vec<Leftover>,
}

/// A compensation that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The task.
    pub task: String,
    /// The row to undo: a completion, or a visit of unknown outcome.
    pub undone: Undone,
    /// The last error of the compensation.
    pub error: String,
}

impl<S: State> Outcome<S> {
    /// The same ending with the user's states; its labels were checked against the definition.
    pub(crate) fn from_ended(ended: Ended, definition: &Definition) -> Self {
        Self::named(ended, |label| {
            let index = definition.state_of_label(label);
            S::ALL[index.expect("the label was checked")]
        })
    }
}

impl Outcome<String> {
    /// The same ending with its states as the log has them.
    pub(crate) fn by_labels(ended: Ended) -> Self {
        Self::named(ended, ToString::to_string)
    }
}

impl<S> Outcome<S> {
    fn named(ended: Ended, typed: impl Fn(&Label) -> S) -> Self {
        match ended {
            Ended::Done { state } => Self::Done(typed(&state)),
            Ended::RolledBack { state, task, cause } => Self::RolledBack(RolledBack {
                state: typed(&state),
                task: task.to_string(),
                cause,
            }),
            Ended::Stuck {
                state,
                task,
                cause,
                failed,
            } => {
                assert!(!failed.is_empty(), "a run is stuck on an undo that failed");
                let leftovers = failed.into_iter().map(|failed| Leftover {
                    task: failed.undo.task.to_string(),
                    undone: failed.undo.undone,
                    error: failed.error.into(),
                });
                let leftovers = leftovers.collect();
                Self::Stuck(Stuck {
                    state: typed(&state),
                    task: task.to_string(),
                    cause,
                    leftovers,
                })
            }
        }
    }
}
