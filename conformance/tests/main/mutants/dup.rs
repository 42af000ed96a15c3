//! Faults of the fence.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Runs};

/// The last write wins.
#[derive(Default)]
pub(crate) struct Upsert;

impl Fault for Upsert {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        runs.put(id, row);
        Ok(())
    }
}

/// ON CONFLICT DO NOTHING.
#[derive(Default)]
pub(crate) struct InsertIgnore;

impl Fault for InsertIgnore {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let _ = runs.append(id, row);
        Ok(())
    }
}

/// The same row again is taken for a retry.
#[derive(Default)]
pub(crate) struct IdempotentOk;

impl Fault for IdempotentOk {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let run = runs.0.get(id);
        if run.and_then(|run| run.rows.get(&row.sequence)) == Some(&row) {
            return Ok(());
        }
        runs.append(id, row)
    }
}

/// The rejection comes after the write.
#[derive(Default)]
pub(crate) struct RejectsButOverwrites;

impl Fault for RejectsButOverwrites {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let taken = runs.has(id, row.sequence);
        let sequence = row.sequence;
        runs.put(id, row);
        if taken {
            return Err(Error::conflict(id, sequence));
        }
        Ok(())
    }
}

/// The rejection undoes the creation of a run that it did not create.
#[derive(Default)]
pub(crate) struct RollsBackTheRun;

impl Fault for RollsBackTheRun {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let is_first = runs.rows_of(id) <= 1;
        runs.append(id, row).inspect_err(|_| {
            if is_first {
                runs.clear(id);
            }
        })
    }
}

/// A rejection leaves its transaction open, and the next append finds it.
#[derive(Default)]
pub(crate) struct LeaksTransaction(AtomicBool);

impl Fault for LeaksTransaction {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let (taken, sequence) = (runs.has(id, row.sequence), row.sequence);
        if taken {
            self.0.store(true, Ordering::SeqCst);
            return Err(Error::conflict(id, sequence));
        }
        if self.0.swap(false, Ordering::SeqCst) {
            return Err(Error::checkpoint_store("a transaction is open"));
        }
        runs.append(id, row)
    }
}

/// Only the last row is compared.
#[derive(Default)]
pub(crate) struct ChecksLastOnly;

impl Fault for ChecksLastOnly {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let run = runs.0.get(id);
        if run.and_then(|run| run.arrival.last()) == Some(&row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        runs.put(id, row);
        Ok(())
    }
}

/// One sequence for all runs.
#[derive(Default)]
pub(crate) struct GlobalSequence(Mutex<BTreeSet<u64>>);

impl Fault for GlobalSequence {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if !self.0.lock().unwrap().insert(row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        runs.append(id, row)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        let mut taken = self.0.lock().unwrap();
        for row in runs.load(id) {
            taken.remove(&row.sequence);
        }
        runs.clear(id);
        Ok(())
    }
}

/// The sequences that a store considers taken.
#[derive(Default)]
struct Taken(Mutex<BTreeSet<(String, u64)>>);

impl Taken {
    fn take(&self, id: &str, sequence: u64) -> Result<(), Error> {
        if self.0.lock().unwrap().insert((id.to_owned(), sequence)) {
            return Ok(());
        }
        Err(Error::conflict(id, sequence))
    }

    fn free(&self, id: &str) {
        self.0.lock().unwrap().retain(|(owner, _)| owner != id);
    }
}

/// Only the store that wrote a sequence knows that it is taken.
#[derive(Default)]
pub(crate) struct DupIndexInMemory(Taken);

impl Fault for DupIndexInMemory {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.take(id, row.sequence)?;
        runs.put(id, row);
        Ok(())
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        self.0.free(id);
        runs.clear(id);
        Ok(())
    }
}

/// The index of taken sequences is read when a place is opened, and each store has its own.
#[derive(Default)]
pub(crate) struct IndexOfItsOwn(DupIndexInMemory);

impl Fault for IndexOfItsOwn {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        let Self(DupIndexInMemory(index)) = self;
        for (id, run) in &runs.0 {
            for sequence in run.rows.keys() {
                _ = index.take(id, *sequence);
            }
        }
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.append(runs, id, row)
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        self.0.clear(runs, id)
    }
}

/// A clear leaves the index of taken sequences behind.
#[derive(Default)]
pub(crate) struct TakenForEver(Taken);

impl Fault for TakenForEver {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.take(id, row.sequence)?;
        runs.append(id, row)
    }
}

/// The end of the range overflows, so the last sequence is not looked up.
#[derive(Default)]
pub(crate) struct MaxUnprotected;

impl Fault for MaxUnprotected {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let after = row.sequence.wrapping_add(1);
        if after > row.sequence && runs.has(id, row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        runs.put(id, row);
        Ok(())
    }
}

/// Each rejection keeps one of 500 permits.
#[derive(Default)]
pub(crate) struct LeaksPermits(AtomicUsize);

impl Fault for LeaksPermits {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self.0.load(Ordering::SeqCst) >= 500 {
            return Err(Error::unavailable("no permit left"));
        }
        let appended = runs.append(id, row);
        if appended.is_err() {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        appended
    }
}
