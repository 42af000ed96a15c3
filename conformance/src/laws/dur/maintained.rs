//! Maintenance of a store beside its writers: it changes no row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crashpoint::CheckpointRow;

use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, broken, task_error};
use crate::harness::BoxFuture;
use crate::runtime::draws::noise;

const ROUNDS: u64 = 3;
const WRITERS: usize = 4;
/// The rows that a writer appends in a round: at least, and at most until the maintenance is over.
const ROWS_MIN: usize = 8;
const ROWS_MAX: usize = 200;
/// The runs that rest, and their rows: 2.2 MiB.
const RESTING: [&str; 4] = ["rests 0", "rests 1", "rests 2", "rests 3"];
const RESTING_ROWS: u64 = 12;
const RESTING_BLOB_BYTES: usize = 48 << 10;
const BLOB_BYTES: usize = 2 << 10;

fn row(sequence: u64, bytes: usize) -> CheckpointRow {
    CheckpointRow::new(sequence, format!("state {sequence}"), "task")
        .with_output(noise(sequence, bytes))
}

/// A run that is being written, and what it has.
#[derive(Clone)]
struct Written {
    id: String,
    rows: Vec<CheckpointRow>,
}

pub(crate) async fn dur_20_maintenance_beside_writers_changes_no_row(case: &Case) -> Checked {
    let mut store = case.open().await?;
    let resting: Vec<CheckpointRow> = (0..RESTING_ROWS)
        .map(|sequence| row(sequence, RESTING_BLOB_BYTES))
        .collect();
    for id in RESTING {
        store.append_at_once(id, resting.clone()).await?;
    }
    let mut written: Vec<Written> = (0..WRITERS)
        .map(|number| Written {
            id: format!("written {number}"),
            rows: Vec::new(),
        })
        .collect();
    for round in 1..=ROUNDS {
        written = write_beside_maintenance(&store, written).await?;
        // One of them has a second life.
        let cleared = &mut written[round as usize % WRITERS];
        store.clear(&cleared.id).await?;
        cleared.rows.clear();
        let when = format!("after maintenance {round} of {ROUNDS} beside {WRITERS} writers");
        holds(&store, &resting, &written, &when).await?;
        store = case.reopen(store).await?;
        holds(&store, &resting, &written, &format!("{when}, opened again")).await?;
    }
    Ok(())
}

async fn holds(
    store: &Session,
    resting: &[CheckpointRow],
    written: &[Written],
    when: &str,
) -> Checked {
    for id in RESTING {
        store.holds(id, resting, when).await?;
    }
    for Written { id, rows } in written {
        store.holds(id, rows, when).await?;
    }
    Ok(())
}

async fn write_beside_maintenance(
    store: &Session,
    written: Vec<Written>,
) -> Result<Vec<Written>, Failure> {
    let is_over: Arc<AtomicBool> = Arc::default();
    let writers: Vec<_> = written
        .into_iter()
        .map(|written| {
            let (store, is_over) = (store.clone(), Arc::clone(&is_over));
            let write: BoxFuture<'static, Result<Written, Failure>> =
                Box::pin(write(store, written, is_over));
            tokio::spawn(write)
        })
        .collect();
    let maintained = store.maintain().await;
    is_over.store(true, Ordering::SeqCst);
    let mut written = Vec::new();
    for writer in writers {
        let joined = writer.await;
        let joined = joined.map_err(|error| {
            let message = task_error(error);
            broken(format!(
                "an append beside maintenance: expected Ok, got a panic: {message}"
            ))
        });
        written.push(joined??);
    }
    // Without the hook the writers have had the store to themselves.
    maintained.map(|_| written)
}

async fn write(
    store: Session,
    mut written: Written,
    is_over: Arc<AtomicBool>,
) -> Result<Written, Failure> {
    let before = written.rows.len();
    loop {
        let appended = written.rows.len() - before;
        let enough = is_over.load(Ordering::SeqCst) && appended >= ROWS_MIN;
        if enough || appended >= ROWS_MAX {
            return Ok(written);
        }
        let row = row(written.rows.len() as u64, BLOB_BYTES);
        store.append(&written.id, &row).await?;
        written.rows.push(row);
        // A store that never waits would keep the maintenance waiting.
        tokio::task::yield_now().await;
    }
}
