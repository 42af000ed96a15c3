//! The store as one life on a worker sees it: the remote store, and what the record learns from it.

use std::sync::Arc;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error};

use crate::madsim_lane::lease::Believed;
use crate::madsim_lane::record::Record;
use crate::madsim_lane::remote::{Append, Clear, LoadRun, Remote};

/// The store of one life.
pub(super) struct NodeStore {
    pub(super) remote: Remote,
    pub(super) record: Arc<Record>,
    pub(super) life: u32,
    /// Present in a world that trusts leases.
    pub(super) lease: Option<Believed>,
}

#[async_trait]
impl CheckpointStore for NodeStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        if let Some(lease) = &self.lease {
            lease.hold(&self.remote, self.life, workflow_id).await?;
        }
        let (life, workflow_id) = (self.life, workflow_id.to_owned());
        let append = Append {
            life,
            workflow_id,
            row,
        };
        self.remote.call(append).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let request = LoadRun {
            workflow_id: workflow_id.to_owned(),
        };
        let run = self.record.run(workflow_id);
        match self.remote.call(request).await {
            Ok(shown) => {
                run.inspect(|run| run.received(self.life, shown.place));
                Ok(shown.rows)
            }
            Err(error) => {
                run.inspect(|run| run.load_failed(self.life));
                Err(error)
            }
        }
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let (life, workflow_id) = (self.life, workflow_id.to_owned());
        self.remote.call(Clear { life, workflow_id }).await
    }
}
