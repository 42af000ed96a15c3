//! Performs the storage commands of a life, and tells the observers about each.

use crate::core::CheckpointRow;
use crate::core::Machine;
use crate::driver::Driver;
use crate::error::StoreError;
use crate::observe::Observation;

impl<M: Machine> Driver<'_, M> {
    pub(super) async fn append(&self, row: &CheckpointRow) -> Result<(), StoreError> {
        self.observe(&Observation::Sending { row });
        let store = &self.environment.store;
        match store.append(&self.context.workflow_id, row.clone()).await {
            Ok(()) => {
                self.observe(&Observation::Acknowledged { row });
                Ok(())
            }
            Err(error) => {
                let error = StoreError::from(error);
                self.observe(&Observation::AppendFailed { row, error: &error });
                Err(error)
            }
        }
    }

    pub(super) async fn load(&self) -> Result<Vec<CheckpointRow>, StoreError> {
        match self
            .environment
            .store
            .load_run(&self.context.workflow_id)
            .await
        {
            Ok(rows) => {
                self.observe(&Observation::Loaded { rows: rows.len() });
                Ok(rows)
            }
            Err(error) => {
                let error = StoreError::from(error);
                self.observe(&Observation::LoadFailed { error: &error });
                Err(error)
            }
        }
    }

    /// A failed clear changes no outcome: the log stays, and says the same.
    pub(super) async fn clear(&self) {
        match self
            .environment
            .store
            .clear(&self.context.workflow_id)
            .await
        {
            Ok(()) => self.observe(&Observation::Cleared),
            Err(error) => {
                self.observe(&Observation::ClearFailed {
                    error: &StoreError::from(error),
                });
            }
        }
    }
}
