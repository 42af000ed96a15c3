//! Faults that show only when operations meet: the lock is let go in the middle.

use std::sync::Mutex;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::Place;

use super::{Mutant, Shelf};

/// Implements `load_run`, a faithful `clear` and `Mutant::open` around an `append`.
macro_rules! racing_append {
    ($name:ident, $append:expr) => {
        #[checkpoint_store]
        impl CheckpointStore for $name {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                let append = $append;
                append(self, workflow_id, row).await
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                Ok(self.shelf.runs().load(workflow_id))
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                self.shelf.runs().clear(workflow_id);
                Ok(())
            }

            fn exclusive_scope(&self) -> Option<ScopeId> {
                Some(self.shelf.scope())
            }
        }

        impl Mutant for $name {
            const RACES: bool = true;

            fn open(shelf: Shelf, _place: &Place) -> Self {
                let mut store = Self::default();
                store.shelf = shelf;
                store
            }
        }
    };
}

/// Some ten microseconds.
const ROUND_TRIP_SPINS: u32 = 1000;

/// Looks, lets the lock go, then writes: caught by threads only, since it never awaits. In between it
/// takes about as long as a backend's round trip within one machine; on a loaded machine two threads
/// hardly ever meet in less.
#[derive(Default)]
pub(crate) struct CheckThenInsert {
    shelf: Shelf,
}

racing_append!(
    CheckThenInsert,
    async |store: &Self, id: &str, row: CheckpointRow| {
        if store.shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        (0..ROUND_TRIP_SPINS).for_each(|_| std::hint::spin_loop());
        store.shelf.runs().put(id, row);
        Ok(())
    }
);

/// Looks, awaits, then writes.
#[derive(Default)]
pub(crate) struct CheckAwaitInsert {
    shelf: Shelf,
}

racing_append!(
    CheckAwaitInsert,
    async |store: &Self, id: &str, row: CheckpointRow| {
        if store.shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        tokio::task::yield_now().await;
        store.shelf.runs().put(id, row);
        Ok(())
    }
);

/// Prepares the row in a buffer that all callers share.
#[derive(Default)]
pub(crate) struct SharedStaging {
    shelf: Shelf,
    staged: Mutex<Option<CheckpointRow>>,
}

racing_append!(
    SharedStaging,
    async |store: &Self, id: &str, mut row: CheckpointRow| {
        let sequence = row.sequence;
        *store.staged.lock().unwrap() = Some(row.clone());
        tokio::task::yield_now().await;
        let mut runs = store.shelf.runs();
        if let Some(staged) = store.staged.lock().unwrap().as_ref() {
            row = staged.clone();
        }
        row.sequence = sequence;
        runs.append(id, row)
    }
);

/// Removes row by row, and a load can come in between: it gives way to it, so that they meet on a machine
/// that is busy with something else, too.
pub(crate) struct ClearRowByRow(Shelf);

#[checkpoint_store]
impl CheckpointStore for ClearRowByRow {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.runs().append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.0.runs().load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let sequences: Vec<u64> = {
            let runs = self.0.runs();
            let run = runs.0.get(workflow_id);
            run.map_or_else(Vec::new, |run| run.rows.keys().copied().collect())
        };
        for sequence in sequences {
            if let Some(run) = self.0.runs().0.get_mut(workflow_id) {
                run.rows.remove(&sequence);
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.0.scope())
    }
}

impl Mutant for ClearRowByRow {
    const RACES: bool = true;

    fn open(shelf: Shelf, _place: &Place) -> Self {
        Self(shelf)
    }
}
