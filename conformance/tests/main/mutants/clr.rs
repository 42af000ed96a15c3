//! Faults of clear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crashpoint::{CheckpointRow, Error, ScopeId};

use super::{Fault, Loaded, Runs, Shelf};

/// The range of a run ends before its last row.
#[derive(Default)]
pub(crate) struct KeepsMax;

impl Fault for KeepsMax {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        if let Some(run) = runs.0.get_mut(id) {
            run.rows.retain(|sequence, _| *sequence == u64::MAX);
        }
        Ok(())
    }
}

/// Clearing nothing is an error.
#[derive(Default)]
pub(crate) struct ErrOnUnknownClear(Mutex<BTreeSet<String>>);

impl Fault for ErrOnUnknownClear {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        let cleared_before = !self.0.lock().unwrap().insert(id.to_owned());
        if !runs.0.contains_key(id) && !cleared_before {
            return Err(Error::checkpoint_store("no such run"));
        }
        runs.clear(id);
        Ok(())
    }
}

/// Clearing again is an error.
#[derive(Default)]
pub(crate) struct ErrOnSecondClear(Mutex<BTreeSet<String>>);

impl Fault for ErrOnSecondClear {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.lock().unwrap().remove(id);
        runs.append(id, row)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        let existed = runs.0.contains_key(id);
        runs.clear(id);
        if !self.0.lock().unwrap().insert(id.to_owned()) && !existed {
            return Err(Error::checkpoint_store("already cleared"));
        }
        Ok(())
    }
}

/// TRUNCATE.
#[derive(Default)]
pub(crate) struct ClearAll;

impl Fault for ClearAll {
    fn clear(&self, runs: &mut Runs, _id: &str) -> Result<(), Error> {
        runs.0.clear();
        Ok(())
    }
}

/// A cleared id is marked as deleted for ever.
#[derive(Default)]
pub(crate) struct Tombstone(Mutex<BTreeSet<String>>);

impl Fault for Tombstone {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        if self.0.lock().unwrap().contains(id) {
            return Ok(Vec::new());
        }
        Ok(runs.load(id))
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        self.0.lock().unwrap().insert(id.to_owned());
        runs.clear(id);
        Ok(())
    }
}

/// The rows go after the acknowledgement: with whatever is asked next, once that is answered.
#[derive(Default)]
pub(crate) struct ClearEarlyAck(Mutex<Option<String>>);

impl ClearEarlyAck {
    fn settle(&self, runs: &mut Runs) {
        if let Some(id) = self.0.lock().unwrap().take() {
            runs.clear(&id);
        }
    }
}

impl Fault for ClearEarlyAck {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.settle(runs);
        runs.append(id, row)
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        self.settle(runs);
        Ok(rows)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        self.settle(runs);
        *self.0.lock().unwrap() = Some(id.to_owned());
        Ok(())
    }
}

/// A load fills a cache, which a clear does not empty.
#[derive(Default)]
pub(crate) struct CacheSurvivesClear(Mutex<BTreeMap<String, Vec<CheckpointRow>>>);

impl Fault for CacheSurvivesClear {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.lock().unwrap().remove(id);
        runs.append(id, row)
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut read = self.0.lock().unwrap();
        let rows = read.entry(id.to_owned()).or_insert_with(|| runs.load(id));
        Ok(rows.clone())
    }
}

/// Blobs beyond a page stand in a table of their own, which a clear leaves alone.
#[derive(Default)]
pub(crate) struct KeepsLargeBlobs;

impl Fault for KeepsLargeBlobs {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        if let Some(run) = runs.0.get_mut(id) {
            let is_large = |blob: &Vec<u8>| blob.len() > 65_536;
            let stays = |row: &CheckpointRow| row.output_blob.as_ref().is_some_and(is_large);
            run.rows.retain(|_, row| stays(row));
        }
        Ok(())
    }
}

/// A clear is kept in memory only.
#[derive(Default)]
pub(crate) struct ClearInMemory(Mutex<BTreeSet<(String, u64)>>);

impl Fault for ClearInMemory {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self
            .0
            .lock()
            .unwrap()
            .remove(&(id.to_owned(), row.sequence))
        {
            runs.put(id, row);
            return Ok(());
        }
        runs.append(id, row)
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let hidden = self.0.lock().unwrap();
        let mut rows = runs.load(id);
        rows.retain(|row| !hidden.contains(&(id.to_owned(), row.sequence)));
        Ok(rows)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        let mut hidden = self.0.lock().unwrap();
        hidden.extend(
            runs.load(id)
                .into_iter()
                .map(|row| (id.to_owned(), row.sequence)),
        );
        Ok(())
    }
}

/// A delete takes its first thousand rows.
#[derive(Default)]
pub(crate) struct ClearLimit1000;

impl Fault for ClearLimit1000 {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        if let Some(run) = runs.0.get_mut(id) {
            for _ in 0..1000 {
                run.rows.pop_first();
            }
        }
        Ok(())
    }
}

/// The condition of a clear is a sequence: that of the first row.
#[derive(Default)]
pub(crate) struct ComparesSequences;

impl Fault for ComparesSequences {
    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        let begins = runs.load(id).first().map(|row| row.sequence) == Some(first.sequence);
        if begins {
            runs.clear(id);
        }
        Ok(begins)
    }

    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        None
    }
}

/// The condition of a clear is met by any row of the run.
#[derive(Default)]
pub(crate) struct MeetsAnyRow;

impl Fault for MeetsAnyRow {
    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        let begins = runs.load(id).contains(first);
        if begins {
            runs.clear(id);
        }
        Ok(begins)
    }

    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        None
    }
}

/// A clear under a condition says whether it would clear.
#[derive(Default)]
pub(crate) struct OnlyLooks;

impl Fault for OnlyLooks {
    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        Ok(runs.load(id).first() == Some(first))
    }
}

/// No fault: several handles may use it, and a clear under a condition looks at the first row.
#[derive(Default)]
pub(crate) struct LooksFirst;

impl Fault for LooksFirst {
    fn clear_if(&self, runs: &mut Runs, id: &str, first: &CheckpointRow) -> Result<bool, Error> {
        Ok(runs.clear_if_begun_with(id, first))
    }

    fn scope(_shelf: &Shelf) -> Option<ScopeId> {
        None
    }
}
