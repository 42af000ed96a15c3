//! Faults that show when a place is opened again.

use std::sync::Mutex;

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Loaded, Runs};

/// Rows are kept by the store that wrote them, and nowhere else.
#[derive(Default)]
pub(crate) struct MemoryOnly(Mutex<Runs>);

impl Fault for MemoryOnly {
    fn append(&self, _runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.lock().unwrap().append(id, row)
    }

    fn load(&self, _runs: &mut Runs, id: &str) -> Loaded {
        Ok(self.0.lock().unwrap().load(id))
    }

    fn clear(&self, _runs: &mut Runs, id: &str) -> Result<(), Error> {
        self.0.lock().unwrap().clear(id);
        Ok(())
    }
}

/// Each opening begins a segment, and a place has room for ten: then the oldest goes.
#[derive(Default)]
pub(crate) struct TenSegments;

impl Fault for TenSegments {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        const SEGMENTS: &str = "\u{1}segments";
        let segments = runs.load(SEGMENTS).len();
        runs.put(SEGMENTS, CheckpointRow::new(segments as u64, "", ""));
        if segments >= 10 {
            let others = runs.0.iter_mut().filter(|(id, _)| *id != SEGMENTS);
            others.for_each(|(_, run)| _ = run.rows.pop_first());
        }
    }
}

/// A load after reopening shows a thousand rows.
#[derive(Default)]
pub(crate) struct ThousandAfterReopen;

impl Fault for ThousandAfterReopen {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        let many = runs.0.values_mut();
        many.for_each(|run| run.rows.retain(|sequence, _| *sequence < 1000));
    }
}

/// A clear leaves a tombstone with the highest sequence, and opening removes every row up to it.
#[derive(Default)]
pub(crate) struct TombstoneBySequence;

impl Fault for TombstoneBySequence {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        let tombs = runs.0.iter().filter_map(|(id, run)| {
            let (last, _) = run.rows.last_key_value()?;
            Some((id.strip_prefix(TOMBSTONE)?.to_owned(), *last))
        });
        for (id, last) in tombs.collect::<Vec<_>>() {
            if let Some(run) = runs.0.get_mut(&id) {
                run.rows.retain(|sequence, _| *sequence > last);
            }
        }
    }

    fn clear(&self, runs: &mut Runs, id: &str) -> Result<(), Error> {
        if let Some(last) = runs.load(id).last() {
            runs.put(&format!("{TOMBSTONE}{id}"), last.clone());
        }
        runs.clear(id);
        Ok(())
    }
}

const TOMBSTONE: &str = "\u{1}tombstone ";

/// A row on the disk does not tell a blob without bytes from none.
#[derive(Default)]
pub(crate) struct EmptyBlobAfterReopen;

impl Fault for EmptyBlobAfterReopen {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        for row in runs.0.values_mut().flat_map(|run| run.rows.values_mut()) {
            row.output_blob = row.output_blob.take().filter(|blob| !blob.is_empty());
        }
    }
}

/// The names of files are ids, and are decoded although nobody has encoded them.
#[derive(Default)]
pub(crate) struct DecodesIdsWhenOpened;

impl Fault for DecodesIdsWhenOpened {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        for (id, run) in std::mem::take(&mut runs.0) {
            runs.0.insert(id.replace("%2F", "/"), run);
        }
    }
}
