//! What a life is given: how it begins, and what it works with and never changes.

use std::time::Duration;

use crate::core::atoms::{Bytes, Label};
use crate::core::definition::Definition;

/// What a life works with and never changes.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// The workflow.
    pub definition: &'a Definition,
    /// What becomes of the log of an ended run.
    pub retention: Retention,
    /// How an append in doubt is sent again.
    pub append_retry: AppendRetry,
}

/// What becomes of the log of an ended run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Retention {
    /// It is kept, and with it the fence: an older life that thaws can't write into a new run.
    #[default]
    Keep,
    /// It is cleared after the terminal row. Only for a store that one process holds exclusively.
    ///
    /// A process that dies after the clear and before its caller has heard the outcome leaves no
    /// trace: a resume then answers [`Error::NotFound`](crate::Error), and `run_or_resume` begins a
    /// new run. Keep the outcome elsewhere, or take that answer for "it has ended".
    ClearWhenDone,
}

/// How an append whose row the log does not show is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppendRetry {
    /// How often a row is sent at most, at least 1.
    pub sends_max: u32,
    /// The time before a row is sent again.
    pub delay: Duration,
}

impl Default for AppendRetry {
    /// Five sends, 100 milliseconds apart: over a restart of a store's connection, not of a store.
    fn default() -> Self {
        Self {
            sends_max: 5,
            delay: Duration::from_millis(100),
        }
    }
}

/// How a life begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Opening {
    /// A new run, at this state and with this input.
    Run {
        /// The label of the first state.
        state: Label,
        /// The serialized input.
        input: Bytes,
    },
    /// Whatever the log says comes next.
    Resume,
    /// Another try at what could not be undone.
    RetryStuck,
}
