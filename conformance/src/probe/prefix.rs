//! A live store behind a prefix: each id of a law becomes an id of the probe.

use std::sync::Arc;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ListRuns, ScopeId, checkpoint_store};

use crate::harness::DynStore;
use crate::harness::place::Place;
use crate::probe::ids::Rows;

/// A handle on a live store, as the laws at one place see it.
pub(super) struct Prefixed {
    store: DynStore,
    prefix: String,
    rows: Arc<Rows>,
}

impl Prefixed {
    pub(super) fn new(store: DynStore, place: &Place, rows: &Arc<Rows>) -> Self {
        Self {
            store,
            prefix: rows.prefix(place),
            rows: Arc::clone(rows),
        }
    }

    fn id(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

#[checkpoint_store]
impl CheckpointStore for Prefixed {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = self.id(workflow_id);
        self.rows.begin(&id)?;
        self.store.append(&id, row).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.store.load_run(&self.id(workflow_id)).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.store.clear(&self.id(workflow_id)).await
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        let id = self.id(workflow_id);
        self.store.clear_if_begun_with(&id, first).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.store.exclusive_scope()
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        self.store.as_listing().map(|_| self as &dyn ListRuns)
    }
}

#[checkpoint_store]
impl ListRuns for Prefixed {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let Some(listing) = self.store.as_listing() else {
            return Ok(Vec::new());
        };
        // The empty id of a law is the prefix alone, which comes right after the prefix without its last byte.
        let before = &self.prefix[..self.prefix.len() - 1];
        let after = after.map_or_else(|| before.to_owned(), |after| self.id(after));
        let listed = listing.run_ids(Some(&after), limit).await?;
        let own = listed.iter().map_while(|id| id.strip_prefix(&self.prefix));
        Ok(own.map(str::to_owned).collect())
    }
}
