//! The cost of rows of several lengths, of loads, of clears and of opening, for the embedded store.
//!
//! Files are below the target folder, not in the system's temporary one, which may be in memory.

use std::path::Path;

use crashpoint::{CheckpointRow, CheckpointStore, RedbCheckpointStore};
use crashpoint_benches::elapsed;
use criterion::{BenchmarkId, Criterion, Throughput};
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// Rows that are appended at the same time while a store is filled.
const AT_A_TIME: u64 = 1000;

fn main() {
    let runtime = Runtime::new().expect("a tokio runtime");
    let mut criterion = Criterion::default().configure_from_args();
    blobs(&mut criterion, &runtime);
    loads(&mut criterion, &runtime);
    clears(&mut criterion, &runtime);
    reopen(&mut criterion, &runtime);
    criterion.final_summary();
}

fn row(sequence: u64, blob: usize) -> CheckpointRow {
    CheckpointRow::new(sequence, "Reserve", "charge").with_output(vec![0x5a; blob])
}

fn open(folder: &Path) -> RedbCheckpointStore {
    RedbCheckpointStore::new(folder.join("store")).expect("the disk takes it")
}

fn fresh() -> (RedbCheckpointStore, TempDir) {
    let folder = tempfile::tempdir_in(FOLDER).expect("a folder");
    (open(folder.path()), folder)
}

/// Appends rows, many at a time; a row is a run's and a sequence.
fn fill(runtime: &Runtime, store: &RedbCheckpointStore, rows: impl Iterator<Item = (u64, u64)>) {
    let mut rows = rows.peekable();
    runtime.block_on(async {
        while rows.peek().is_some() {
            let some = rows.by_ref().take(AT_A_TIME as usize);
            let appends = some.map(|(run, sequence)| async move {
                let id = format!("order-{run}");
                let appended = store.append(&id, row(sequence, 64)).await;
                appended.expect("it is free");
            });
            join_all(appends).await;
        }
    });
}

/// One run that appends, a row after the other.
fn blobs(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("blob");
    group.sample_size(10);
    for bytes in [0, 256, 16 << 10] {
        let (store, _folder) = fresh();
        let mut sequences = 0..;
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| {
                let sequence = sequences.next().expect("there are enough");
                let append = store.append("order-1", row(sequence, bytes));
                runtime.block_on(append).expect("it is free");
            });
        });
    }
    group.finish();
}

fn loads(criterion: &mut Criterion, runtime: &Runtime) {
    let (store, _folder) = fresh();
    let mut group = criterion.benchmark_group("load");
    for (run, rows) in [(0, 10), (1, 10_000)] {
        fill(runtime, &store, (0..rows).map(|sequence| (run, sequence)));
        let id = format!("order-{run}");
        group.throughput(Throughput::Elements(rows));
        group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
            bencher.iter(|| {
                let loaded = runtime.block_on(store.load_run(&id)).expect("it is whole");
                assert_eq!(loaded.len() as u64, rows);
            });
        });
    }
    group.finish();
}

/// A run of 24 rows.
fn clears(criterion: &mut Criterion, runtime: &Runtime) {
    const ROWS: u64 = 24;
    let (store, _folder) = fresh();
    let mut group = criterion.benchmark_group("clear");
    group.sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(ROWS), |bencher| {
        bencher.iter_custom(|iterations| {
            let runs = 0..iterations;
            let rows = runs
                .clone()
                .flat_map(|run| (0..ROWS).map(move |sequence| (run, sequence)));
            fill(runtime, &store, rows);
            let ids: Vec<String> = runs.map(|run| format!("order-{run}")).collect();
            elapsed(|| {
                for id in &ids {
                    runtime
                        .block_on(store.clear(id))
                        .expect("the disk takes it");
                }
            })
        });
    });
    group.finish();
}

/// A store with many runs, which is checked as a whole.
fn reopen(criterion: &mut Criterion, runtime: &Runtime) {
    let is_a_try = std::env::args().any(|argument| argument == "--test");
    let runs = if is_a_try { 1_000 } else { 100_000 };
    let (store, folder) = fresh();
    fill(runtime, &store, (0..runs).map(|run| (run, 0)));
    drop(store);
    let mut group = criterion.benchmark_group("reopen");
    group.sample_size(10);
    group.throughput(Throughput::Elements(runs));
    group.bench_function(BenchmarkId::from_parameter(runs), |bencher| {
        bencher.iter(|| drop(open(folder.path())));
    });
    group.finish();
}
