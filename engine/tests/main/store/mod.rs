//! The embedded store: its bytes, what damages it, what it refuses, and what it survives.

mod creation;
mod damage;
mod disk;
mod failing;
mod format;
mod lifetimes;
mod opening;
mod rot;
mod runs;
mod turns;

use std::future::Future;
use std::time::Duration;

use crashpoint_engine::{
    CheckpointRow, CheckpointStore, Error, RedbCheckpointStore, RowKind, Runtime, StoreErrorKind,
    TaskHandle, TokioRuntime,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redb::TableDefinition;

use self::disk::MemoryDisk;

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

/// Production, but for blocking work: that is done where it is asked for.
struct Inline(TokioRuntime);

impl Runtime for Inline {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn unix_ms(&self) -> u64 {
        self.0.unix_ms()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) -> TaskHandle {
        self.0.spawn(future)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move { work() })
    }

    fn entropy(&self) -> [u8; 16] {
        self.0.entropy()
    }
}

/// A store whose operations are over after one poll.
fn open(disk: &MemoryDisk) -> Result<RedbCheckpointStore, Error> {
    RedbCheckpointStore::on_disk(disk, Inline(TokioRuntime::new()))
}

/// What a future of such a store gives.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the work is done inline")
}

fn row(sequence: u64) -> CheckpointRow {
    CheckpointRow::new(sequence, format!("State{sequence}"), "task")
}

fn append(store: &RedbCheckpointStore, id: &str, row: CheckpointRow) -> Result<(), Error> {
    now(store.append(id, row))
}

fn load(store: &RedbCheckpointStore, id: &str) -> Result<Vec<CheckpointRow>, Error> {
    now(store.load_run(id))
}

fn ids(store: &RedbCheckpointStore) -> Result<Vec<String>, Error> {
    let listing = store.as_listing().expect("it lists");
    now(listing.run_ids(None, usize::MAX))
}

/// Does something to the file that the store itself never does.
fn meddle(disk: &MemoryDisk, with: impl FnOnce(&redb::WriteTransaction)) {
    let file = disk.named().expect("there is a store");
    let database = redb::Builder::new().create_with_backend(file);
    let database = database.expect("it is a database");
    let transaction = database.begin_write().expect("nobody else has it");
    with(&transaction);
    transaction.commit().expect("memory takes it");
    database.close().expect("memory takes it");
}

fn kind_of(error: &Error) -> Option<StoreErrorKind> {
    error.store_error().map(crashpoint_engine::StoreError::kind)
}

/// A row of every kind, with a blob and without, at sequences from 0.
fn one_of_each() -> Vec<CheckpointRow> {
    let kinds = RowKind::ALL
        .iter()
        .flat_map(|kind| [(*kind, false), (*kind, true)]);
    let rows = kinds
        .zip(0..)
        .map(|((kind, with_blob), sequence)| CheckpointRow {
            kind,
            output_blob: with_blob.then(|| vec![0, 255]),
            ..CheckpointRow::new(sequence, "Päck", "charge")
        });
    rows.collect()
}
