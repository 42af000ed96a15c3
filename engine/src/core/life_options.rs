//! The input of a life: how it begins, and its settings.

use std::time::Duration;

use crate::core::atoms::{Bytes, Label};
use crate::core::definition::Definition;

/// The run, the definition and the settings of a life.
#[derive(Debug, Clone, Copy)]
pub struct LifeOptions<'a> {
    /// The id of the run.
    pub workflow_id: &'a str,
    /// The workflow.
    pub definition: &'a Definition,
    /// What the engine does with the log of an ended run.
    pub retention: Retention,
    /// How an append of unknown outcome is sent again.
    pub append_retry: AppendRetry,
}

/// What the engine does with the log of an ended run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Retention {
    /// Keeps it, and the fence with it: a paused older life can't write into a new run of the id.
    #[default]
    Keep,
    /// Clears it after the terminal row. The store must be held exclusively by one process.
    ///
    /// If the process dies after the clear and before its caller gets the outcome, no trace is left:
    /// a resume then returns [`Error::NotFound`](crate::Error), and `run_or_resume` begins a new run.
    /// Keep the outcome elsewhere, or treat `NotFound` as "it has ended".
    ClearWhenDone,
}

/// How often, and after which delay, an append is sent again if the log does not show its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppendRetry {
    /// The most sends of a row, `1..`; the engine takes 0 for 1.
    pub sends_max: u32,
    /// The delay before each further send.
    pub delay: Duration,
}

impl Default for AppendRetry {
    /// Five sends, 100 milliseconds apart. That bridges a lost connection, not a restart of the store.
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
    /// A resume where the log ends.
    Resume,
    /// A retry of the failed compensations of a stuck run.
    RetryStuck,
}
