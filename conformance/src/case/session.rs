//! A store as the checks of the laws use it.

use std::sync::Arc;

use crashpoint::{CheckpointRow, Error};

use super::progress::{Blame, Progress};
use crate::finding::expect::{
    Checked, Failure, append_failed, failed, not_rejected, quote, same_rows,
};
use crate::harness::hooks::Hook;
use crate::harness::{DynStore, Maintain, Opened, append_at_once};

/// An open store. It reports each operation as progress and turns unexpected errors into failures.
#[derive(Clone)]
pub(crate) struct Session {
    store: DynStore,
    clone: Option<DynStore>,
    maintain: Arc<Maintain>,
    progress: Arc<Progress>,
}

impl Session {
    pub(super) fn new(opened: Opened, progress: &Arc<Progress>) -> Self {
        Self {
            store: opened.store,
            clone: opened.clone,
            maintain: opened.maintain,
            progress: Arc::clone(progress),
        }
    }

    /// The store itself, for races and for laws about futures.
    pub(crate) fn store(&self) -> &DynStore {
        &self.store
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Begins a step on the store itself.
    pub(crate) fn step(&self, blame: Blame, what: &str) {
        self.progress.step(blame, what);
    }

    /// The session of the store's clone, if the store can be cloned.
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
            maintain: Arc::clone(&self.maintain),
            progress: Arc::clone(&self.progress),
        }
    }

    /// Appends, and returns whatever the store answers.
    pub(crate) async fn try_append(&self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.progress.operation("append", id, Some(row.sequence));
        let blob_bytes = row.output_blob.as_ref().map_or(0, Vec::len);
        self.progress.be_patient(patience(blob_bytes));
        self.store.append(id, row).await
    }

    /// Appends a row that must be accepted.
    pub(crate) async fn append(&self, id: &str, row: &CheckpointRow) -> Checked {
        let appended = self.try_append(id, row.clone()).await;
        appended.map_err(|error| append_failed(row, id, &error))
    }

    /// Appends rows that must be accepted.
    pub(crate) async fn append_all(&self, id: &str, rows: &[CheckpointRow]) -> Checked {
        for row in rows {
            self.append(id, row).await?;
        }
        Ok(())
    }

    /// Appends rows that must be accepted, from several callers at once. Needs tokio.
    pub(crate) async fn append_at_once(&self, id: &str, rows: Vec<CheckpointRow>) -> Checked {
        let what = format!("{} appends at once", rows.len());
        self.progress.operation(&what, id, None);
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        // They are one step.
        self.progress.be_patient(count.div_ceil(APPENDS_IN_TIME));
        let appended = append_at_once(&self.store, id, rows).await;
        appended.map_err(|error| failed(&format!("{what} to run {}", quote(id)), &error))
    }

    /// Appends a row that must be rejected, and returns the error.
    pub(crate) async fn rejects(&self, id: &str, row: CheckpointRow) -> Result<Error, Failure> {
        match self.try_append(id, row.clone()).await {
            Err(error) => Ok(error),
            Ok(()) => Err(not_rejected(&row, id)),
        }
    }

    /// Loads, and returns whatever the store answers.
    pub(crate) async fn try_load(&self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.progress.operation("load", id, None);
        self.store.load_run(id).await
    }

    /// Loads a run, which must succeed.
    pub(crate) async fn load(&self, id: &str) -> Result<Vec<CheckpointRow>, Failure> {
        self.load_of(id, 0).await
    }

    /// Loads a run with so many bytes of blobs.
    async fn load_of(&self, id: &str, blob_bytes: usize) -> Result<Vec<CheckpointRow>, Failure> {
        self.progress.operation("load", id, None);
        self.progress.be_patient(patience(blob_bytes));
        let loaded = self.store.load_run(id).await;
        loaded.map_err(|error| failed(&format!("load of run {}", quote(id)), &error))
    }

    /// Fails unless run `id` is exactly `rows`. `when` completes the message "run X ...".
    pub(crate) async fn holds(&self, id: &str, rows: &[CheckpointRow], when: &str) -> Checked {
        let blobs = rows.iter().filter_map(|row| row.output_blob.as_ref());
        let got = self.load_of(id, blobs.map(Vec::len).sum()).await?;
        same_rows(|| format!("run {} {when}", quote(id)), rows, &got)
    }

    /// Lets the store maintain itself. Returns whether the harness has that hook.
    pub(crate) async fn maintain(&self) -> Result<bool, Failure> {
        self.progress.step(Blame::Store, "maintenance of the store");
        match (self.maintain)().await {
            Ok(hook) => Ok(hook == Hook::Done),
            Err(error) => Err(Failure::Harness(format!("`maintain` failed: {error}"))),
        }
    }

    /// Clears a run, which must succeed.
    pub(crate) async fn clear(&self, id: &str) -> Checked {
        self.progress.operation("clear", id, None);
        let cleared = self.store.clear(id).await;
        cleared.map_err(|error| failed(&format!("clear of run {}", quote(id)), &error))
    }

    /// Clears a run if it begins with `first`, which must succeed. Returns the store's answer.
    pub(crate) async fn clear_if_begun_with(
        &self,
        id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Failure> {
        self.progress.operation("clear under a condition", id, None);
        let cleared = self.store.clear_if_begun_with(id, first).await;
        let what = || format!("clear of run {} under a condition", quote(id));
        cleared.map_err(|error| failed(&what(), &error))
    }
}

/// How many appends may take the time of one step.
const APPENDS_IN_TIME: u32 = 100;

/// How many times the usual time an operation on so many bytes has. A build for debugging computes a checksum
/// of some MiB in a second, and on a busy machine in ten.
fn patience(blob_bytes: usize) -> u32 {
    const BYTES: usize = 2 << 20;
    1 + u32::try_from(blob_bytes / BYTES).unwrap_or(u32::MAX - 1)
}
