//! The embedded store: its bytes, what damages it, what it refuses, and what it survives.

mod batches;
mod commit;
mod creation;
mod damage;
mod disk;
mod drafts;
mod failing;
#[cfg(unix)]
mod forked;
mod format;
mod golden;
mod growth;
mod lifetimes;
mod listing;
mod opening;
#[cfg(unix)]
mod permissions;
mod queue;
mod rot;
mod runs;
mod stopped;
mod turns;

use std::future::Future;
use std::time::Duration;

use crashpoint::disk::OpenCheck;
use crashpoint::{
    CheckpointRow, CheckpointStore, Error, RedbCheckpointStore, RowKind, Runtime, StoreErrorKind,
    TokioRuntime,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redb::TableDefinition;

use self::disk::MemoryDisk;

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

type Work = Box<dyn FnOnce() + Send>;

/// Production, but for what becomes of blocking work.
struct Blocking {
    tokio: TokioRuntime,
    blocking: fn(Work) -> BoxFuture<'static, ()>,
}

impl Blocking {
    fn new(blocking: fn(Work) -> BoxFuture<'static, ()>) -> Self {
        let tokio = TokioRuntime::new();
        Self { tokio, blocking }
    }
}

impl Runtime for Blocking {
    fn unix_ms(&self) -> u64 {
        self.tokio.unix_ms()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.tokio.sleep(duration)
    }

    fn blocking(&self, work: Work) -> BoxFuture<'static, ()> {
        (self.blocking)(work)
    }

    fn entropy(&self) -> [u8; 16] {
        self.tokio.entropy()
    }
}

/// A runtime that has ended: it drops the blocking work that it is given.
fn ended() -> Blocking {
    Blocking::new(|work| {
        Box::pin(async {
            // Others come while it is not clear yet.
            tokio::task::yield_now().await;
            drop(work);
        })
    })
}

/// A runtime that does blocking work within the poll that asks for it.
fn inline() -> Blocking {
    Blocking::new(|work| Box::pin(async { work() }))
}

/// A store whose operations are over after one poll.
fn open(disk: &MemoryDisk) -> Result<RedbCheckpointStore, Error> {
    open_with_check(disk, OpenCheck::Whole)
}

fn open_with_check(disk: &MemoryDisk, check: OpenCheck) -> Result<RedbCheckpointStore, Error> {
    RedbCheckpointStore::on_disk_with_check(disk, check, inline())
}

/// Opens a place that may fail; what it answers then names the place.
fn try_open(disk: &MemoryDisk, what: &str) {
    if let Err(error) = open(disk) {
        let message = error.to_string();
        assert!(
            message.starts_with("checkpoint store: memory: "),
            "{what}: {message}"
        );
    }
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
    error.store_error().map(crashpoint::StoreError::kind)
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
