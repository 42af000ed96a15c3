//! A store as the checks of the laws use it.

use std::fmt::Display;
use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};

use super::progress::{Blame, Progress};
use crate::finding::expect::{Checked, Failure, broken, describe, quote, same_rows};
use crate::harness::{DynStore, Opened};

/// An opened store whose every operation is watched, and whose unexpected errors are put into
/// words.
#[derive(Clone)]
pub(crate) struct Session {
    store: DynStore,
    clone: Option<DynStore>,
    progress: Arc<Progress>,
}

impl Session {
    pub(super) fn new(opened: Opened, progress: &Arc<Progress>) -> Self {
        Self {
            store: opened.store,
            clone: opened.clone,
            progress: Arc::clone(progress),
        }
    }

    /// The store itself, for races and for laws about its futures.
    pub(crate) fn store(&self) -> &DynStore {
        &self.store
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Says what is about to be asked of the store itself.
    pub(crate) fn step(&self, blame: Blame, what: &str) {
        self.progress.step(blame, what);
    }

    /// The same rows seen through the store's own clone, where it can be cloned.
    pub(crate) fn through_clone(&self) -> Option<Self> {
        let store = Arc::clone(self.clone.as_ref()?);
        Some(self.over(store))
    }

    /// The same store behind another `Arc` of the trait object.
    pub(crate) fn through_arc(&self) -> Self {
        self.over(Arc::new(Arc::clone(&self.store)))
    }

    fn over(&self, store: DynStore) -> Self {
        Self {
            store,
            clone: None,
            progress: Arc::clone(&self.progress),
        }
    }

    /// Appends, whatever comes of it.
    pub(crate) async fn try_append(&self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.progress.operation("append", id, Some(row.sequence));
        self.store.append(id, row).await
    }

    /// Appends a row that has to be accepted.
    pub(crate) async fn append(&self, id: &str, row: &CheckpointRow) -> Checked {
        let appended = self.try_append(id, row.clone()).await;
        appended.map_err(|error| {
            let row = describe(row);
            let id = quote(id);
            broken(format!(
                "append of {row} to run {id}: expected Ok, got the error \"{error}\""
            ))
        })
    }

    /// Appends rows that have to be accepted.
    pub(crate) async fn append_all(&self, id: &str, rows: &[CheckpointRow]) -> Checked {
        for row in rows {
            self.append(id, row).await?;
        }
        Ok(())
    }

    /// Appends a row that has to be rejected, and answers how it was.
    pub(crate) async fn rejects(&self, id: &str, row: CheckpointRow) -> Result<Error, Failure> {
        match self.try_append(id, row.clone()).await {
            Err(error) => Ok(error),
            Ok(()) => Err(broken(format!(
                "append of {} to run {}, where the sequence is taken: expected a rejection, \
                 got Ok",
                describe(&row),
                quote(id)
            ))),
        }
    }

    /// Loads, whatever comes of it.
    pub(crate) async fn try_load(&self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.progress.operation("load", id, None);
        self.store.load_run(id).await
    }

    /// Loads a run, which has to succeed.
    pub(crate) async fn load(&self, id: &str) -> Result<Vec<CheckpointRow>, Failure> {
        let loaded = self.try_load(id).await;
        loaded.map_err(|error| unexpected("load", id, &error))
    }

    /// Fails unless the run `id` is exactly `rows`. `when` completes "run X ...".
    pub(crate) async fn holds(&self, id: &str, rows: &[CheckpointRow], when: &str) -> Checked {
        let got = self.load(id).await?;
        same_rows(|| format!("run {} {when}", quote(id)), rows, &got)
    }

    /// Clears a run, which has to succeed.
    pub(crate) async fn clear(&self, id: &str) -> Checked {
        self.progress.operation("clear", id, None);
        let cleared = self.store.clear(id).await;
        cleared.map_err(|error| unexpected("clear", id, &error))
    }
}

fn unexpected(operation: &str, id: &str, error: &dyn Display) -> Failure {
    let id = quote(id);
    broken(format!(
        "{operation} of run {id}: expected Ok, got the error \"{error}\""
    ))
}
