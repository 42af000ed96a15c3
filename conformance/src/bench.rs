//! Benchmarks for any store: criterion groups over the same [`Harness`] that certifies it.
//!
//! `benches/store.rs` of a backend's crate needs the feature `bench` of this crate, and a `[[bench]]` of
//! this name with `harness = false` in the manifest:
//!
//! ```no_run
//! # struct Mine;
//! # impl crashpoint_conformance::Harness for Mine {
//! #     type Store = crashpoint::MemoryCheckpointStore;
//! #     async fn open(
//! #         _: &crashpoint_conformance::Place,
//! #     ) -> Result<Self::Store, crashpoint_conformance::BoxError> {
//! #         Ok(Self::Store::new())
//! #     }
//! # }
//! fn main() {
//!     crashpoint_conformance::bench::run::<Mine>("mine");
//! }
//! ```
//!
//! Every sample has its own place. A group measures only the operation in its name, not opening, filling
//! or destroying the store. Places are below the system's temporary directory, which may be in memory;
//! [`Options::folder`](crate::Options) moves them. If a number surprises you, look there first.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::CheckpointRow;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use tokio::runtime::Runtime;

use crate::harness::place::Place;
use crate::harness::{DynStore, Harness, Subject};
use crate::runtime::clock::Stopwatch;
use crate::runtime::{Workers, start};

/// How many runs append at the same time.
const IDS: [u64; 4] = [1, 8, 64, 256];

/// How many rows each run appends in a sample.
const ROWS: u64 = 8;

/// The length of a row's blob in bytes, for groups that do not vary it.
const BLOB: usize = 64;

/// Lengths of blobs, in bytes.
const BLOBS: [usize; 4] = [0, 1 << 10, 16 << 10, 256 << 10];

/// How many rows a run has that is loaded, cleared or opened again.
const LENGTHS: [u64; 2] = [10, 1000];

/// Fewer than criterion's hundred, since a store that waits for its disk is slow.
const SAMPLES: usize = 10;

/// Measures the stores of `H` according to criterion's command line, and prints the results.
///
/// # Panics
///
/// If the store can't be opened, or rejects a valid operation. Certify it first.
pub fn run<H: Harness>(name: &str) {
    let mut criterion = Criterion::default().configure_from_args();
    groups::<H>(&mut criterion, name);
    criterion.final_summary();
}

/// Adds the groups `append`, `append_blob`, `load`, `clear` and `reopen` below `name`, for a crate that
/// has other benchmarks too. `reopen` is useful only for a store that keeps its rows.
///
/// # Panics
///
/// As [`run`] does.
pub fn groups<H: Harness>(criterion: &mut Criterion, name: &str) {
    let bench = Bench {
        subject: Subject::of::<H>(),
        runtime: start(Workers::Pool(2)).expect("a tokio runtime starts"),
    };
    let mut group = |what: &str, add: fn(&Bench, &mut BenchmarkGroup<'_, WallTime>)| {
        let mut group = criterion.benchmark_group(format!("{name}/{what}"));
        group.sample_size(SAMPLES);
        add(&bench, &mut group);
        group.finish();
    };
    group("append", Bench::appends);
    group("append_blob", Bench::blobs);
    group("load", Bench::loads);
    group("clear", Bench::clears);
    group("reopen", Bench::reopens);
}

struct Bench {
    subject: Subject,
    runtime: Runtime,
}

impl Bench {
    fn appends(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        for ids in IDS {
            group.throughput(Throughput::Elements(ids * ROWS));
            self.add(group, BenchmarkId::new("ids", ids), |place| {
                let store = self.open(place);
                timed(|| self.append(&store, ids, ROWS, BLOB))
            });
        }
    }

    fn blobs(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        for blob in BLOBS {
            group.throughput(Throughput::Bytes(ROWS * blob.max(1) as u64));
            self.add(group, BenchmarkId::new("bytes", blob), |place| {
                let store = self.open(place);
                timed(|| self.append(&store, 1, ROWS, blob))
            });
        }
    }

    fn loads(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        for rows in LENGTHS {
            group.throughput(Throughput::Elements(rows));
            self.add(group, BenchmarkId::new("rows", rows), |place| {
                let store = self.open(place);
                self.append(&store, 1, rows, BLOB);
                timed(|| self.load(&store, rows))
            });
        }
    }

    fn clears(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        for rows in LENGTHS {
            group.throughput(Throughput::Elements(rows));
            self.add(group, BenchmarkId::new("rows", rows), |place| {
                let store = self.open(place);
                self.append(&store, 1, rows, BLOB);
                timed(|| {
                    let cleared = self.runtime.block_on(store.clear(&id(0)));
                    cleared.expect("a run is cleared");
                })
            });
        }
    }

    fn reopens(&self, group: &mut BenchmarkGroup<'_, WallTime>) {
        for rows in LENGTHS {
            group.throughput(Throughput::Elements(1));
            self.add(group, BenchmarkId::new("rows", rows), |place| {
                let store = self.open(place);
                self.append(&store, 1, rows, BLOB);
                self.drop(store);
                let mut reopened = None;
                let time = timed(|| reopened = Some(self.open(place)));
                reopened.into_iter().for_each(|store| self.drop(store));
                time
            });
        }
    }

    /// Adds what `sample` measures, each time in a fresh place.
    fn add(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        id: BenchmarkId,
        sample: impl Fn(&Place) -> Duration,
    ) {
        let folder = self.subject.options.folder.as_deref();
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|iterations| {
                let once = |_| {
                    let place = Place::fresh_for("bench", self.subject.name, folder)
                        .expect("a fresh place");
                    let time = sample(&place);
                    let destroyed = self.runtime.block_on(self.subject.destroy(&place));
                    destroyed.expect("the place is destroyed");
                    time
                };
                (0..iterations).map(once).sum()
            });
        });
    }

    fn open(&self, place: &Place) -> DynStore {
        let opened = self.runtime.block_on(self.subject.open(place));
        opened.expect("the store is opened").store
    }

    /// Some stores want the runtime around them when they go.
    fn drop(&self, store: DynStore) {
        let _inside = self.runtime.enter();
        drop(store);
    }

    /// Lets `ids` runs append at the same time, each its rows in order.
    fn append(&self, store: &DynStore, ids: u64, rows: u64, blob: usize) {
        let tasks = (0..ids).map(|number| {
            let store = Arc::clone(store);
            self.runtime.spawn(async move {
                for sequence in 0..rows {
                    let row = CheckpointRow::new(sequence, "Reserve", "charge");
                    let row = row.with_output(vec![0x5a; blob]);
                    let appended = store.append(&id(number), row).await;
                    appended.expect("a free sequence is taken");
                }
            })
        });
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            self.runtime.block_on(task).expect("no append panics");
        }
    }

    fn load(&self, store: &DynStore, rows: u64) {
        let loaded = self.runtime.block_on(store.load_run(&id(0)));
        let loaded = loaded.expect("a run is loaded");
        assert_eq!(loaded.len() as u64, rows, "the whole run is loaded");
    }
}

fn id(number: u64) -> String {
    format!("order-{number}")
}

fn timed(work: impl FnOnce()) -> Duration {
    let watch = Stopwatch::start();
    work();
    watch.elapsed()
}
