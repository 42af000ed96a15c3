//! Faults between operations: each needs several operations to meet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Loaded, Runs};

/// Rejections are cached, and a clear does not empty the cache.
#[derive(Default)]
pub(crate) struct RemembersRefusals(Mutex<BTreeSet<(String, u64)>>);

impl Fault for RemembersRefusals {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut refused = self.0.lock().unwrap();
        let key = (id.to_owned(), row.sequence);
        if refused.contains(&key) {
            return Err(Error::conflict(id, row.sequence));
        }
        runs.append(id, row).inspect_err(|_| {
            refused.insert(key);
        })
    }
}

/// Rows are kept in pages of 16; a clear overlooks a last page that has one row.
#[derive(Default)]
pub(crate) struct PageOfOne;

impl Fault for PageOfOne {
    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        let rows = runs.load(id);
        runs.clear(id);
        if rows.len() > 1 && rows.len() % 16 == 1 {
            runs.put(id, rows[rows.len() - 1].clone());
        }
        Ok(())
    }
}

/// A cache of two runs: a run that a third run has evicted still writes to its slot.
#[derive(Default)]
pub(crate) struct SlotOfAnother(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    held: Vec<(String, Vec<CheckpointRow>)>,
    slot_of: BTreeMap<String, usize>,
    next: usize,
}

impl Fault for SlotOfAnother {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        runs.append(id, row.clone())?;
        let mut slots = self.0.lock().unwrap();
        if let Some(&slot) = slots.slot_of.get(id) {
            slots.held[slot].1.push(row);
            slots.held[slot].1.sort_by_key(|row| row.sequence);
        }
        Ok(())
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut slots = self.0.lock().unwrap();
        if let Some((_, rows)) = slots.held.iter().find(|(held, _)| held == id) {
            return Ok(rows.clone());
        }
        let slot = slots.next % 2;
        slots.next += 1;
        let entry = (id.to_owned(), runs.load(id));
        if slot == slots.held.len() {
            slots.held.push(entry);
        } else {
            slots.held[slot] = entry;
        }
        slots.slot_of.insert(id.to_owned(), slot);
        Ok(runs.load(id))
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        runs.clear(id);
        let mut slots = self.0.lock().unwrap();
        for (_, rows) in slots.held.iter_mut().filter(|(held, _)| held == id) {
            rows.clear();
        }
        Ok(())
    }
}

/// After reopening, a sequence counts as taken if it is below the number of rows.
#[derive(Default)]
pub(crate) struct CountsAfterReopening(bool);

impl Fault for CountsAfterReopening {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        self.0 = !runs.0.is_empty();
    }

    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self.0 && row.sequence >= runs.load(id).len() as u64 {
            runs.put(id, row);
            return Ok(());
        }
        runs.append(id, row)
    }
}

const CLEARED: &str = "\u{1}cleared ";

/// Clears are journaled and repeated at each opening, whatever was appended since.
#[derive(Default)]
pub(crate) struct ReplaysClears;

impl Fault for ReplaysClears {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        let journaled = runs.0.keys().filter_map(|id| id.strip_prefix(CLEARED));
        for id in journaled.map(str::to_owned).collect::<Vec<_>>() {
            runs.clear(&id);
        }
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        runs.put(&format!("{CLEARED}{id}"), CheckpointRow::new(0, "", ""));
        runs.clear(id);
        Ok(())
    }
}

/// Blobs of a run are deduplicated by their length.
#[derive(Default)]
pub(crate) struct InternsByLength;

impl Fault for InternsByLength {
    fn append(&self, runs: &mut Runs, id: &str, mut row: CheckpointRow) -> Result<(), Error> {
        let length = row.output_blob.as_ref().map(Vec::len);
        let rows = runs.load(id);
        let mut blobs = rows.into_iter().filter_map(|row| row.output_blob);
        if let Some(same) = blobs.find(|blob| Some(blob.len()) == length) {
            row.output_blob = Some(same);
        }
        runs.append(id, row)
    }
}

/// After a rejection the next append, of any run, is not checked.
#[derive(Default)]
pub(crate) struct SkipsCheckAfterRefusal(Mutex<bool>);

impl Fault for SkipsCheckAfterRefusal {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut skips = self.0.lock().unwrap();
        if std::mem::take(&mut *skips) {
            runs.put(id, row);
            return Ok(());
        }
        runs.append(id, row).inspect_err(|_| *skips = true)
    }
}
