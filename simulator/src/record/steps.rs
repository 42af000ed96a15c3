//! A recorded simulation, event by event.

use std::sync::Arc;

use crate::record::{Recording, ReplayError, Source};
use crate::report::steps::Steps;
use crate::sim::{Settings, Snapshots};

impl Steps {
    /// Runs a recorded simulation again, and takes down what holds after each event.
    ///
    /// # Errors
    ///
    /// If the schedule differs from the recorded schedule, because the workload or the engine has changed
    /// since.
    pub fn of_recording(source: Source<'_>, recording: &Recording) -> Result<Self, ReplayError> {
        let snapshots = Snapshots::Into(Arc::default());
        let settings = Settings {
            snapshots: snapshots.clone(),
            ..recording.settings()
        };
        let (trial, settings) = recording.run_within(&source, settings)?;
        Ok(Self::of(&trial.run, settings.store, &snapshots.take()))
    }
}
