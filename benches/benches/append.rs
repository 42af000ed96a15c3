//! Rows per second of a store: 1, 8, 64 and 256 runs that append at the same time. And what an
//! append to the embedded store costs beside a bare commit of the same row, one run at a time.
//!
//! Files are below the target folder, not in the system's temporary one, which may be in memory.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, MemoryCheckpointStore, RedbCheckpointStore};
use crashpoint_benches::{Comparison, elapsed, file_system_of};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use redb::{Database, TableDefinition};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const FOLDER: &str = env!("CARGO_TARGET_TMPDIR");

/// The length of a row's blob, in bytes.
const BLOB: usize = 64;

/// The length of the value that the embedded store makes of such a row.
const VALUE: usize = BLOB + 27;

/// A store, and the folder that goes with it.
type Fresh = (Arc<dyn CheckpointStore>, Option<TempDir>);

fn main() {
    let runtime = Runtime::new().expect("a tokio runtime");
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("append");
    each(&mut group, &runtime, ("memory", 256), memory);
    // A row waits for the disk twice.
    group.sample_size(10);
    each(&mut group, &runtime, ("redb", 8), redb);
    group.finish();
    criterion.final_summary();
    let elsewhere = ["--test", "--list", "--profile-time"];
    if !std::env::args().any(|argument| elsewhere.contains(&&*argument)) {
        side_by_side(&runtime);
    }
}

fn memory() -> Fresh {
    (Arc::new(MemoryCheckpointStore::new()), None)
}

fn redb() -> Fresh {
    let folder = tempfile::tempdir_in(FOLDER).expect("a folder");
    let store = RedbCheckpointStore::new(folder.path().join("store")).expect("a fresh file");
    (Arc::new(store), Some(folder))
}

/// One store, at each number of runs. Every run appends the same number of rows.
fn each(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    (name, rows): (&str, u64),
    fresh: fn() -> Fresh,
) {
    for runs in [1, 8, 64, 256] {
        group.throughput(Throughput::Elements(runs * rows));
        group.bench_function(BenchmarkId::new(name, runs), |bencher| {
            bencher.iter_custom(|iterations| {
                let once = |_| {
                    let (store, _folder) = fresh();
                    appended(runtime, &store, runs, rows)
                };
                (0..iterations).map(once).sum()
            });
        });
    }
}

/// The time until every run has appended its rows and each was acknowledged.
fn appended(runtime: &Runtime, store: &Arc<dyn CheckpointStore>, runs: u64, rows: u64) -> Duration {
    elapsed(|| {
        let tasks = (0..runs).map(|run| {
            let store = Arc::clone(store);
            runtime.spawn(async move { append(&*store, &format!("order-{run}"), 0..rows).await })
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            runtime
                .block_on(task)
                .expect("every append is acknowledged");
        }
    })
}

async fn append(store: &dyn CheckpointStore, workflow_id: &str, rows: std::ops::Range<u64>) {
    for sequence in rows {
        let row = CheckpointRow::new(sequence, "Reserve", "charge").with_output(vec![0x5a; BLOB]);
        let appended = store.append(workflow_id, row).await;
        appended.expect("a free sequence is taken");
        tokio::task::yield_now().await;
    }
}

/// A table of redb's with nothing around it.
struct Bare(Database);

impl Bare {
    const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

    fn commit(&self, sequence: u64) -> Result<(), redb::Error> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_two_phase_commit(true);
        {
            let mut rows = transaction.open_table(Self::ROWS)?;
            rows.insert(("order-0", sequence), &[0x5a; VALUE][..])?;
        }
        Ok(transaction.commit()?)
    }
}

#[expect(clippy::print_stdout, reason = "the ratio is what this is for")]
fn side_by_side(runtime: &Runtime) {
    const ROWS: u32 = 64;
    let folder = tempfile::tempdir_in(FOLDER).expect("a folder");
    let bare = Database::create(folder.path().join("bare")).expect("a fresh file");
    let bare = Bare(bare);
    let (store, _folder) = redb();
    let mut bare_rows = 0..;
    let mut bare = || {
        for sequence in bare_rows.by_ref().take(ROWS as usize) {
            bare.commit(sequence).expect("the disk takes it");
        }
    };
    let mut next = 0;
    let mut ours = || {
        let rows = next..next + u64::from(ROWS);
        next = rows.end;
        runtime.block_on(append(&*store, "order-0", rows));
    };
    let comparison = Comparison::run(
        "durable row",
        ROWS,
        &mut [
            ("a bare two-phase commit of redb's", &mut bare),
            ("crashpoint, embedded store", &mut ours),
        ],
    );
    println!("file system: {}", file_system_of(folder.path()));
    println!("{comparison}");
}
