//! Faults of order.

use std::sync::Mutex;

use crashpoint::{CheckpointRow, Error};
use crashpoint_conformance::Place;

use super::{Fault, Loaded, Runs};

/// The newest row comes first.
#[derive(Default)]
pub(crate) struct Descending;

impl Fault for Descending {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        Ok(runs.load(id).into_iter().rev().collect())
    }
}

/// There is no ORDER BY.
#[derive(Default)]
pub(crate) struct InsertionOrder;

fn as_they_came(runs: &Runs, id: &str) -> Vec<CheckpointRow> {
    let run = runs.0.get(id);
    run.map_or_else(Vec::new, |run| {
        let rows = run
            .arrival
            .iter()
            .map(|sequence| run.rows[sequence].clone());
        rows.collect()
    })
}

impl Fault for InsertionOrder {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        Ok(as_they_came(runs, id))
    }
}

/// Sequences are sorted as text.
#[derive(Default)]
pub(crate) struct TextKey;

impl Fault for TextKey {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        rows.sort_by_cached_key(|row| row.sequence.to_string());
        Ok(rows)
    }
}

/// Only the next number is accepted.
#[derive(Default)]
pub(crate) struct DenseOnly;

impl Fault for DenseOnly {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let run = runs.0.get(id);
        let last = run.and_then(|run| run.rows.last_key_value());
        if last.is_some_and(|(last, _)| row.sequence > last.saturating_add(1)) {
            return Err(Error::checkpoint_store("gap in the sequence"));
        }
        runs.append(id, row)
    }
}

/// The first row has to be number 0.
#[derive(Default)]
pub(crate) struct StartsAtZero;

impl Fault for StartsAtZero {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if row.sequence > 0 && !runs.0.contains_key(id) {
            return Err(Error::checkpoint_store("the run has no row 0"));
        }
        runs.append(id, row)
    }
}

/// The column is signed.
#[derive(Default)]
pub(crate) struct I64Cast;

impl Fault for I64Cast {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        rows.sort_by_key(|row| row.sequence.cast_signed());
        Ok(rows)
    }
}

/// Sequences pass through floating point.
#[derive(Default)]
pub(crate) struct FloatSequence;

impl Fault for FloatSequence {
    fn kept(mut row: CheckpointRow) -> CheckpointRow {
        row.sequence = row.sequence as f64 as u64;
        row
    }
}

/// The column has 32 bits.
#[derive(Default)]
pub(crate) struct U32Sequence;

impl Fault for U32Sequence {
    fn kept(mut row: CheckpointRow) -> CheckpointRow {
        row.sequence = u64::from(row.sequence as u32);
        row
    }
}

/// A query returns its first thousand rows.
#[derive(Default)]
pub(crate) struct Limit1000;

impl Fault for Limit1000 {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        rows.truncate(1000);
        Ok(rows)
    }
}

/// A query returns its first ten thousand rows.
#[derive(Default)]
pub(crate) struct Limit10000;

impl Fault for Limit10000 {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        rows.truncate(10_000);
        Ok(rows)
    }
}

/// A response that is longer than 1 MiB holds 4,096 rows.
#[derive(Default)]
pub(crate) struct Limit4096Above1MiB;

impl Fault for Limit4096Above1MiB {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut rows = runs.load(id);
        let blobs = rows.iter().filter_map(|row| row.output_blob.as_ref());
        if blobs.map(Vec::len).sum::<usize>() > 1 << 20 {
            rows.truncate(4096);
        }
        Ok(rows)
    }
}

/// A response holds 4 MiB.
#[derive(Default)]
pub(crate) struct Page4MiB;

impl Fault for Page4MiB {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let mut bytes = 0;
        let fits = |row: &CheckpointRow| {
            bytes += row.output_blob.as_ref().map_or(0, Vec::len);
            bytes <= 4 << 20
        };
        Ok(runs.load(id).into_iter().take_while(fits).collect())
    }
}

/// Each change of the id begins a segment, and the newest segment is read first.
#[derive(Default)]
pub(crate) struct NewestSegmentFirst(Mutex<(String, Vec<(String, u64)>)>);

impl Fault for NewestSegmentFirst {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let sequence = row.sequence;
        runs.append(id, row)?;
        let (last, segments) = &mut *self.0.lock().unwrap();
        if last != id {
            id.clone_into(last);
            segments.push((id.to_owned(), sequence));
        }
        Ok(())
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let rows = runs.load(id);
        let (_, segments) = &*self.0.lock().unwrap();
        let begins = |row: &CheckpointRow| {
            let mut own = segments.iter().filter(|(owner, _)| owner == id);
            own.any(|(_, sequence)| *sequence == row.sequence)
        };
        // Whole runs that were written at one go have one segment and stay as they are.
        let mut ordered: Vec<CheckpointRow> = Vec::new();
        let mut segment = Vec::new();
        for row in rows.into_iter().rev() {
            let first = begins(&row);
            segment.insert(0, row);
            if first {
                ordered.append(&mut segment);
            }
        }
        ordered.append(&mut segment);
        Ok(ordered)
    }
}

/// The index that gives the order is rebuilt wrongly on opening.
#[derive(Default)]
pub(crate) struct UnorderedAfterReopen(Vec<String>);

impl Fault for UnorderedAfterReopen {
    fn opened(&mut self, runs: &mut Runs, _place: &Place) {
        self.0 = runs.0.keys().cloned().collect();
    }

    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        if self.0.iter().any(|known| known == id) {
            return Ok(as_they_came(runs, id));
        }
        Ok(runs.load(id))
    }
}
