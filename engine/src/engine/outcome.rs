//! The durable endings of a run, in the user's own states.

use crate::core::{Cause, Ended, Label, Undone};
use crate::state::State;

/// How a run ended. Resuming it any number of times gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<S> {
    /// The run entered this exit state.
    Done(S),
    /// The run turned around, and everything that it had done is undone.
    RolledBack(RolledBack<S>),
    /// The run turned around, and some of what it had done could not be undone.
    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck) tries that again.
    Stuck(Stuck<S>),
}

/// A run that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack<S> {
    /// The state in which it turned around.
    pub state: S,
    /// The task of that state.
    pub task: String,
    /// Why.
    pub cause: Cause,
}

/// A run that went back and left something behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck<S> {
    /// The state in which it turned around.
    pub state: S,
    /// The task of that state.
    pub task: String,
    /// Why.
    pub cause: Cause,
    /// What could not be undone, in the order in which it was tried; at least one.
    pub leftovers: Vec<Leftover>,
}

/// What an undo that failed for good left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The task.
    pub task: String,
    /// The row that was to be undone, a completion or a visit in doubt.
    pub undone: Undone,
    /// What the compensation said last.
    pub error: String,
}

impl<S: State> Outcome<S> {
    /// The same ending with the user's states; its labels were checked against the definition.
    pub(crate) fn from_ended(ended: Ended) -> Self {
        Self::named(ended, |label| {
            S::from_label(label).expect("the label was checked")
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
