//! Faults that cost something, and break no other law.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crashpoint::{CheckpointRow, Error};

use super::concurrency::Trips;
use super::disk::{Habit, Log, line_of};
use super::{Fault, Loaded, Run, Runs, Shelf};

/// Each fortieth append of a run waits for something that is tidied up.
#[derive(Default)]
pub(crate) struct StallsAtTimes;

impl Trips for StallsAtTimes {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if row.sequence % 40 == 39 {
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        shelf.runs().append(id, row)
    }
}

/// A run of 9,900 rows is one value: read, and written anew with each row.
#[derive(Default)]
pub(crate) struct RewriteWholeRun;

impl Fault for RewriteWholeRun {
    fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let is_long = |run: &&Run| run.rows.len() >= 9_900;
        let rewritten = runs.0.get(id).filter(is_long).cloned();
        runs.0.extend(rewritten.map(|run| (id.to_owned(), run)));
        runs.append(id, row)
    }
}

/// A load looks at every row that there is.
#[derive(Default)]
pub(crate) struct ScansEverything;

impl Fault for ScansEverything {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let every: Vec<_> = runs
            .0
            .iter()
            .map(|(id, run)| (id.clone(), run.clone()))
            .collect();
        let mut every = every.into_iter().filter(|(other, _)| other == id);
        let run = every.next().map(|(_, run)| run);
        Ok(run.map_or_else(Vec::new, |run| run.rows.into_values().collect()))
    }
}

/// Callers that meet step back for a while, the longer the more they are. Eight take about 670 ms for what one does in
/// less than 2, so a machine that delays the measurements of the one does not hide it.
#[derive(Default)]
pub(crate) struct StepsBack(AtomicUsize);

impl Trips for StepsBack {
    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let others = self.0.load(Ordering::SeqCst).saturating_sub(1).min(7);
        if others > 0 {
            tokio::time::sleep(Duration::from_millis(3) * others as u32).await;
        }
        self.0.fetch_sub(1, Ordering::SeqCst);
        shelf.runs().append(id, row)
    }
}

/// A row of a block or more has a slot of its own that is long enough for any.
#[derive(Default)]
pub(crate) struct RoomForAnyRow;

impl Habit for RoomForAnyRow {
    fn append(&mut self, log: &mut Log, id: &str, row: &CheckpointRow) -> io::Result<()> {
        log.write_only(&line_of(id, row))?;
        let is_long = row
            .output_blob
            .as_ref()
            .is_some_and(|blob| blob.len() >= 4096);
        for _ in 0..if is_long { 16 } else { 0 } {
            // A clear of a run that nobody has.
            log.write_only(&format!("C x{}", "20".repeat(4096)))?;
        }
        log.sync()
    }
}
