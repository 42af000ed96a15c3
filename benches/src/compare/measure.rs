//! One turn of one store: a number of tasks for a duration, and a timer beside them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::clock::now;
use crate::device::{Counters, counters};
use crate::folder::BenchFolder;
use crate::peers::Subject;
use crate::statistics::percentile;
use crate::workload::Workload;

/// The result of a turn.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) rows_per_second: f64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
    /// None where the system does not count them.
    pub(crate) flushes_per_row: Option<f64>,
    pub(crate) bytes_per_row: Option<f64>,
    /// By how much a timer of a millisecond on the same runtime was late at worst.
    pub(crate) timer_stall: Duration,
}

/// Has `writers` tasks use the store at the same time until the time is over.
pub(crate) fn turn(
    runtime: &Runtime,
    subject: &Arc<dyn Subject>,
    workload: Workload,
    (writers, duration): (usize, Duration),
    folder: &BenchFolder,
) -> Turn {
    let before = counters(folder.path());
    let begin = now();
    let deadline = begin + duration;
    let timer = runtime.spawn(lateness(deadline));
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let subject = Arc::clone(subject);
            runtime.spawn(async move { workload.until(deadline, &*subject, writer).await })
        })
        .collect();
    let mut rows = 0;
    let mut times = Vec::new();
    for task in tasks {
        let done = runtime.block_on(task).expect("a store answers");
        rows += done.rows;
        times.extend(done.times_us);
    }
    let took = begin.elapsed().as_secs_f64();
    let after = counters(folder.path());
    let timer_stall = runtime.block_on(timer).expect("a timer is no store");
    times.sort_unstable();
    let rows = rows as f64;
    let per_row = |of: fn(&Counters) -> u64| {
        let (before, after) = (before.as_ref()?, after.as_ref()?);
        Some((of(after) - of(before)) as f64 / rows)
    };
    Turn {
        rows_per_second: rows / took,
        p50_us: percentile(&times, 50),
        p99_us: percentile(&times, 99),
        flushes_per_row: per_row(|counters| counters.flushes),
        bytes_per_row: per_row(|counters| counters.bytes),
        timer_stall,
    }
}

/// The longest time by which a timer of a millisecond comes too late.
async fn lateness(deadline: Instant) -> Duration {
    const TICK: Duration = Duration::from_millis(1);
    let mut longest = Duration::ZERO;
    while now() < deadline {
        let begin = now();
        tokio::time::sleep(TICK).await;
        longest = longest.max(begin.elapsed().saturating_sub(TICK));
    }
    longest
}
