//! Faults that show only when operations meet: the lock is let go in the middle.

use std::sync::Mutex;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::Place;

use super::gap::{Count, Crossing};
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
            fn open(shelf: Shelf, _place: &Place) -> Self {
                let mut store = Self::default();
                store.shelf = shelf;
                store
            }
        }
    };
}

/// Looks, lets the lock go, then writes: caught by threads only, since it never awaits.
#[derive(Default)]
pub(crate) struct CheckThenInsert {
    shelf: Shelf,
    looks: Crossing,
}

racing_append!(
    CheckThenInsert,
    async |store: &Self, id: &str, row: CheckpointRow| {
        if store.shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let look = store.looks.enter();
        store.shelf.gap().pass_blocking(|| look.met());
        store.shelf.runs().put(id, row);
        Ok(())
    }
);

/// Looks, awaits, then writes.
#[derive(Default)]
pub(crate) struct CheckAwaitInsert {
    shelf: Shelf,
    looks: Crossing,
}

racing_append!(
    CheckAwaitInsert,
    async |store: &Self, id: &str, row: CheckpointRow| {
        if store.shelf.runs().has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        let look = store.looks.enter();
        store.shelf.gap().pass(|| look.met()).await;
        store.shelf.runs().put(id, row);
        Ok(())
    }
);

/// Prepares the row in a buffer that all callers share.
#[derive(Default)]
pub(crate) struct SharedStaging {
    shelf: Shelf,
    staged: Mutex<Option<CheckpointRow>>,
    stagings: Count,
}

racing_append!(
    SharedStaging,
    async |store: &Self, id: &str, mut row: CheckpointRow| {
        let sequence = row.sequence;
        let own = {
            let mut staged = store.staged.lock().unwrap();
            *staged = Some(row.clone());
            store.stagings.up()
        };
        // Whoever staged before has written the row of whoever staged last.
        let met = || store.stagings.now() > own || store.shelf.runs().has(id, sequence);
        store.shelf.gap().pass(met).await;
        let mut runs = store.shelf.runs();
        if let Some(staged) = store.staged.lock().unwrap().as_ref() {
            row = staged.clone();
        }
        row.sequence = sequence;
        runs.append(id, row)
    }
);

/// Removes row by row, and a load can come in between.
pub(crate) struct ClearRowByRow {
    shelf: Shelf,
    loads: Count,
}

#[checkpoint_store]
impl CheckpointStore for ClearRowByRow {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.shelf.runs().append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let runs = self.shelf.runs();
        self.loads.up();
        Ok(runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let sequences: Vec<u64> = {
            let runs = self.shelf.runs();
            let run = runs.0.get(workflow_id);
            run.map_or_else(Vec::new, |run| run.rows.keys().copied().collect())
        };
        let mut gap_passed = false;
        for sequence in sequences {
            if let Some(run) = self.shelf.runs().0.get_mut(workflow_id) {
                run.rows.remove(&sequence);
            }
            if !gap_passed {
                let before = self.loads.now();
                let gap = self.shelf.gap();
                gap.pass_blocking(|| self.loads.now() > before);
                gap_passed = true;
            }
        }
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.shelf.scope())
    }
}

impl Mutant for ClearRowByRow {
    fn open(shelf: Shelf, _place: &Place) -> Self {
        let loads = Count::default();
        Self { shelf, loads }
    }
}
