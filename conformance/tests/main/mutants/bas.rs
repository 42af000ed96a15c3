//! Faults of append and load.

use std::sync::Mutex;

use crashpoint_conformance::Place;
use std::sync::atomic::{AtomicUsize, Ordering};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};

use super::{Fault, Loaded, Mutant, Runs, Shelf};

/// Not found is an error.
#[derive(Default)]
pub(crate) struct ErrOnUnknown;

impl Fault for ErrOnUnknown {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        if rows.is_empty() {
            return Err(Error::checkpoint_store("no such run"));
        }
        Ok(rows)
    }
}

/// A column is forgotten.
#[derive(Default)]
pub(crate) struct ForgetsTask;

impl Fault for ForgetsTask {
    fn kept(mut row: CheckpointRow) -> CheckpointRow {
        row.task_id.clear();
        row
    }
}

/// A row is acknowledged in a buffer, which the next append writes out.
#[derive(Default)]
pub(crate) struct AckBeforeWrite(Mutex<Option<(String, CheckpointRow)>>);

impl Fault for AckBeforeWrite {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut buffer = self.0.lock().unwrap();
        if let Some((id, row)) = buffer.take() {
            runs.append(&id, row)?;
        }
        if runs.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        *buffer = Some((id.to_owned(), row));
        Ok(())
    }
}

/// A load leaves an empty first row where there was no run.
#[derive(Default)]
pub(crate) struct CreatesOnLoad;

impl Fault for CreatesOnLoad {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        if rows.is_empty() {
            runs.put(id, CheckpointRow::new(0, "", ""));
        }
        Ok(rows)
    }
}

/// Where there is nothing to read, the cursor stays open: one of 1,000.
#[derive(Default)]
pub(crate) struct LeaksCursors(AtomicUsize);

impl Fault for LeaksCursors {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        if rows.is_empty() && self.0.fetch_add(1, Ordering::SeqCst) >= 1_000 {
            return Err(Error::unavailable("no cursor left"));
        }
        Ok(rows)
    }
}

/// A load moves the rows out to the caller.
#[derive(Default)]
pub(crate) struct GivesAway;

impl Fault for GivesAway {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        runs.clear(id);
        Ok(rows)
    }
}

/// A clone of the store is a copy of its rows.
pub(crate) struct CopiesOnClone(Shelf);

#[checkpoint_store]
impl CheckpointStore for CopiesOnClone {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.runs().append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.0.runs().load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.0.runs().clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.0.scope())
    }
}

impl Mutant for CopiesOnClone {
    fn open(shelf: Shelf, _place: &Place) -> Self {
        Self(shelf)
    }

    fn duplicate(&self) -> Option<Self> {
        Some(Self(self.0.copy()))
    }
}
