//! How many rows a second a store takes: 1, 8 and 64 runs that append at the same time.

use std::sync::Arc;
use std::time::Duration;

use crashpoint_benches::elapsed;
use crashpoint_engine::{CheckpointRow, CheckpointStore, MemoryCheckpointStore};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

const ROWS_PER_RUN: u64 = 256;

fn append(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a tokio runtime");
    let mut group = c.benchmark_group("append");
    for runs in [1, 8, 64] {
        group.throughput(Throughput::Elements(runs * ROWS_PER_RUN));
        group.bench_function(BenchmarkId::new("memory", runs), |bencher| {
            bencher.iter_custom(|iterations| {
                let once = |_| {
                    let fresh: Arc<dyn CheckpointStore> = Arc::new(MemoryCheckpointStore::new());
                    appended(&runtime, &fresh, runs)
                };
                (0..iterations).map(once).sum()
            });
        });
    }
    group.finish();
}

/// The time until every run has appended its rows and each was acknowledged.
fn appended(runtime: &Runtime, store: &Arc<dyn CheckpointStore>, runs: u64) -> Duration {
    elapsed(|| {
        let tasks = (0..runs).map(|run| runtime.spawn(one_run(Arc::clone(store), run)));
        let tasks: Vec<_> = tasks.collect();
        for task in tasks {
            runtime
                .block_on(task)
                .expect("every append is acknowledged");
        }
    })
}

async fn one_run(store: Arc<dyn CheckpointStore>, run: u64) {
    let workflow_id = format!("order-{run}");
    for sequence in 0..ROWS_PER_RUN {
        let row = CheckpointRow::new(sequence, "Reserve", "charge").with_output(vec![0x5a; 64]);
        let appended = store.append(&workflow_id, row).await;
        appended.expect("a free sequence is taken");
        tokio::task::yield_now().await;
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
