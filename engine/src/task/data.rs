//! The durable data of a run.

use serde::de::DeserializeOwned;

use crate::core::{Bytes, Completions, Outputs};
use crate::task::TaskError;

/// The durable data of a run: its input, and what its tasks have left. It is the same in every life.
#[derive(Clone)]
pub struct RunData {
    pub(crate) input: Bytes,
    pub(crate) completed: Completions,
    pub(crate) outputs: Outputs,
}

impl RunData {
    /// The input of the run.
    ///
    /// # Errors
    ///
    /// [`TaskError::Fatal`] if the input can't be deserialized as `I`.
    pub fn input<I: DeserializeOwned>(&self) -> Result<I, TaskError> {
        serde_json::from_slice(&self.input)
            .map_err(|error| TaskError::unserializable(format!("the input can't be read: {error}")))
    }

    /// The newest output of the task `task`, plain or compensatable.
    ///
    /// # Errors
    ///
    /// [`TaskError::Fatal`] if no task of this name has left an output, or its output can't be
    /// deserialized as `O`.
    pub fn output<O: DeserializeOwned>(&self, task: &str) -> Result<O, TaskError> {
        let newest = self.newest_output(task);
        let newest = newest
            .ok_or_else(|| TaskError::fatal(format!("no task {task:?} has left an output")))?;
        serde_json::from_slice(newest)
            .map_err(|error| TaskError::unserializable(format!("the output of {task:?}: {error}")))
    }

    /// A task whose kind was changed by a new release may have left outputs of both kinds.
    fn newest_output(&self, task: &str) -> Option<&Bytes> {
        let plain = self.outputs.get(task);
        let after = plain.map(|plain| plain.sequence);
        let mut completed = self.completed.newest_first();
        let completed = completed.find(|done| *done.task == *task);
        let completed = completed.filter(|done| Some(done.sequence) > after);
        completed
            .map(|done| &done.output)
            .or(plain.map(|plain| &plain.output))
    }
}

impl std::fmt::Debug for RunData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The content belongs to the user, and is not logged.
        f.debug_struct("RunData")
            .field("completed", &self.completed.len())
            .finish_non_exhaustive()
    }
}
