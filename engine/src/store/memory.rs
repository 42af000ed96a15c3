//! A store in the memory of this process: for tests, examples and simulations.
//!
//! It keeps every clause of the contract except durability: its rows die with the process.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::Error;
use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns};
use crate::scope::ScopeId;

/// A [`CheckpointStore`] in memory. Share it as an `Arc`; a clone of the `Arc` sees the same rows.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), crashpoint::Error> {
/// use crashpoint::{CheckpointRow, CheckpointStore, MemoryCheckpointStore};
///
/// let store = MemoryCheckpointStore::new();
/// store.append("run-1", CheckpointRow::new(0, "Start", "fetch")).await?;
/// assert!(store.append("run-1", CheckpointRow::new(0, "Other", "fetch")).await.is_err());
/// assert_eq!(store.load_run("run-1").await?[0].state, "Start");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct MemoryCheckpointStore {
    runs: Mutex<BTreeMap<String, BTreeMap<u64, CheckpointRow>>>,
    scope: ScopeId,
}

impl MemoryCheckpointStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<u64, CheckpointRow>>> {
        // Every change is a single insertion or removal, so a poisoned map is consistent.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CheckpointStore for MemoryCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut runs = self.runs();
        let rows = match runs.get_mut(workflow_id) {
            Some(rows) => rows,
            None => runs.entry(workflow_id.to_owned()).or_default(),
        };
        match rows.entry(row.sequence) {
            Entry::Occupied(_) => Err(Error::conflict(workflow_id, row.sequence)),
            Entry::Vacant(slot) => {
                slot.insert(row);
                debug_assert!(!rows.is_empty(), "a run that is listed has a row");
                Ok(())
            }
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let runs = self.runs();
        Ok(runs
            .get(workflow_id)
            .map_or_else(Vec::new, |rows| rows.values().cloned().collect()))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.runs().remove(workflow_id);
        Ok(())
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        let mut runs = self.runs();
        let rows = runs.get(workflow_id);
        let begun = rows.and_then(|rows| rows.values().next()) == Some(first);
        if begun {
            runs.remove(workflow_id);
        }
        Ok(begun)
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[async_trait]
impl ListRuns for MemoryCheckpointStore {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let runs = self.runs();
        let ids = runs
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(id, _)| id.clone());
        Ok(ids.take(limit).collect())
    }
}
