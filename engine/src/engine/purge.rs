//! Purging: clears the logs of ended runs.

use std::pin::pin;

use futures_util::TryStreamExt as _;

use crate::core::{RunHeader, rebuild};
use crate::engine::Engine;
use crate::error::Error;

/// The result of a purge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// The number of cleared logs.
    pub purged: u64,
    /// The number of kept logs: open, stuck, too young, or with a life in this process.
    pub kept: u64,
    /// The ids of corrupt logs, which are kept too.
    pub corrupt: Vec<String>,
}

impl Engine {
    /// Clears the logs of runs that are done or rolled back and whose newest claim is older than
    /// `claimed_before_unix_ms` (milliseconds since 1970-01-01 UTC). Stuck runs, open runs and corrupt
    /// logs are kept.
    ///
    /// A cleared log fences no older life. So choose a time before which **no life of those ids can
    /// still exist**: think of paused processes and delayed appends.
    ///
    /// # Errors
    ///
    /// [`Error::NoListing`], or the store's error. Logs that were cleared by then stay cleared.
    pub async fn purge(&self, claimed_before_unix_ms: u64) -> Result<PurgeReport, Error> {
        let mut ids = pin!(self.ids()?);
        let mut report = PurgeReport::default();
        while let Some(workflow_id) = ids.try_next().await? {
            self.purge_one(&workflow_id, claimed_before_unix_ms, &mut report)
                .await?;
        }
        Ok(report)
    }

    async fn purge_one(
        &self,
        workflow_id: &str,
        claimed_before_unix_ms: u64,
        report: &mut PurgeReport,
    ) -> Result<(), Error> {
        // A life of this process keeps its log, whatever the operator says of the time.
        let Ok(_guard) = self.environment.enter_to_clear(workflow_id) else {
            report.kept += 1;
            return Ok(());
        };
        let rows = self.environment.store.load_run(workflow_id).await?;
        let Ok(state) = rebuild(&rows) else {
            report.corrupt.push(workflow_id.to_owned());
            return Ok(());
        };
        let old = |header: &RunHeader| header.claim.unix_ms < claimed_before_unix_ms;
        if state.is_terminal() && state.header().is_some_and(old) {
            self.environment.store.clear(workflow_id).await?;
            report.purged += 1;
        } else {
            report.kept += 1;
        }
        Ok(())
    }
}
