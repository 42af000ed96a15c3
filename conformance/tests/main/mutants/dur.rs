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
