//! Purging: clears the logs of ended runs.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::TryStreamExt as _;

use crate::core::{CheckpointRow, RunHeader, rebuild_run};
use crate::engine::Engine;
use crate::engine::apart::apart;
use crate::error::{Error, StoreError, StoreErrorKind};

/// The result of a purge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// The number of cleared logs.
    pub purged: u64,
    /// The number of kept logs: open, stuck, too young, or with a life in this process.
    pub kept: u64,
    /// The ids of corrupt logs, which are kept too: a row is damaged, or the rows make no legal log.
    pub corrupt: Vec<String>,
    /// The logs that the store could not read or clear, by their id. A log whose clear failed may be
    /// cleared.
    pub failed: BTreeMap<String, StoreError>,
}

impl Engine {
    /// Clears the logs of runs that are done or rolled back and whose newest claim is older than
    /// `claimed_before_unix_ms` (milliseconds since 1970-01-01 UTC). Stuck runs, open runs and corrupt
    /// logs are kept.
    ///
    /// Another process may clear an ended run and begin its id again at any time. A store of several
    /// processes keeps such a run if it implements
    /// [`clear_if_begun_with`](crate::CheckpointStore::clear_if_begun_with).
    ///
    /// A cleared log fences no older life. So choose a time before which **no life of those ids can
    /// still exist**: think of paused processes and delayed appends.
    ///
    /// # Errors
    ///
    /// [`Error::NoListing`], or the store's error if the listing fails. Logs that were cleared by then
    /// stay cleared. A log that can't be read or cleared stops nothing: the report names it.
    pub async fn purge(&self, claimed_before_unix_ms: u64) -> Result<PurgeReport, Error> {
        let mut ids = pin!(self.ids()?);
        let mut report = PurgeReport::default();
        while let Some(workflow_id) = ids.try_next().await? {
            let purged = self.purge_one(&workflow_id, claimed_before_unix_ms);
            match apart(&workflow_id, purged).await {
                Ok(Purged::Cleared) => report.purged += 1,
                Ok(Purged::Kept) => report.kept += 1,
                Ok(Purged::Corrupt) => report.corrupt.push(workflow_id),
                Err(error) => _ = report.failed.insert(workflow_id, error.into()),
            }
        }
        Ok(report)
    }

    async fn purge_one(
        &self,
        workflow_id: &str,
        claimed_before_unix_ms: u64,
    ) -> Result<Purged, Error> {
        // The first look takes no place in the registry: a purge that reads an unfinished run must not
        // keep a recovery away from it.
        match self.judged(workflow_id, claimed_before_unix_ms).await? {
            Judged::Ended { .. } => {}
            Judged::Kept => return Ok(Purged::Kept),
            Judged::Corrupt => return Ok(Purged::Corrupt),
        }
        // A life of this process keeps its log, whatever the operator says of the time.
        let Ok(_guard) = self.environment.enter_to_clear(workflow_id) else {
            return Ok(Purged::Kept);
        };
        // Since the first look, somebody else may have cleared the log and begun the id again.
        match self.judged(workflow_id, claimed_before_unix_ms).await? {
            Judged::Ended { first } => {
                // Each claim has a nonce of its own, so the first row tells one run from the next.
                let store = &self.environment.store;
                let cleared = store.clear_if_begun_with(workflow_id, &first).await?;
                Ok(if cleared {
                    Purged::Cleared
                } else {
                    Purged::Kept
                })
            }
            Judged::Kept => Ok(Purged::Kept),
            Judged::Corrupt => Ok(Purged::Corrupt),
        }
    }

    /// Reads a log, and decides whether it may be cleared.
    async fn judged(
        &self,
        workflow_id: &str,
        claimed_before_unix_ms: u64,
    ) -> Result<Judged, Error> {
        let rows = match self.environment.store.load_run(workflow_id).await {
            Err(error) if is_damage(&error) => return Ok(Judged::Corrupt),
            rows => rows?,
        };
        let Ok(state) = rebuild_run(workflow_id, &rows) else {
            return Ok(Judged::Corrupt);
        };
        let old = |header: &RunHeader| header.claim.unix_ms < claimed_before_unix_ms;
        let is_ended = state.is_terminal() && state.header().is_some_and(old);
        let first = rows.into_iter().next().filter(|_| is_ended);
        Ok(first.map_or(Judged::Kept, |first| Judged::Ended { first }))
    }
}

/// What a purge finds in a log.
enum Judged {
    /// The run that began with this row has ended, and is old enough.
    Ended {
        first: CheckpointRow,
    },
    /// The run has not ended, or is too young.
    Kept,
    Corrupt,
}

/// What a purge did with a log.
enum Purged {
    Cleared,
    Kept,
    Corrupt,
}

/// Whether the store says that the rows of the run are damaged.
fn is_damage(error: &Error) -> bool {
    let store_error = error.store_error();
    store_error.is_some_and(|error| error.kind() == StoreErrorKind::Damaged)
}
