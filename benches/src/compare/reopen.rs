//! How long a store takes to open that has many runs.

use std::sync::Arc;
use std::time::Duration;

use crashpoint_benches::elapsed;

use crate::arguments::Reopening;
use crate::clock::in_us;
use crate::folder::BenchFolder;
use crate::measure::Turn;
use crate::peers::{Peer, Subject};
use crate::rounds::{Results, Row, runtime};

/// Rows that are appended at the same time while a store is filled.
const AT_A_TIME: u64 = 1000;

/// Fills each store once with runs of one row, and opens it once in every round.
pub(crate) fn compare(reopening: &Reopening, bench_folder: &BenchFolder) -> Results {
    let Reopening { comparing, runs } = reopening;
    let runs = *runs;
    let subjects = comparing.subjects.iter().filter(|peer| peer.can_load());
    let filled: Vec<_> = subjects
        .map(|peer| {
            let folder = bench_folder.subfolder();
            fill(&peer.open(folder.path()), runs);
            (*peer, folder)
        })
        .collect();
    let row = |(peer, _): &(Peer, _)| Row {
        subject: peer.name().to_owned(),
        writers: 1,
        turns: Vec::new(),
    };
    let mut rows: Vec<Row> = filled.iter().map(row).collect();
    for _ in 0..comparing.rounds {
        for (row, (peer, folder)) in rows.iter_mut().zip(&filled) {
            let mut opened = None;
            let took = elapsed(|| opened = Some(peer.open(folder.path())));
            drop(opened);
            row.turns.push(Turn {
                rows_per_second: runs as f64 / took.as_secs_f64(),
                p50_us: in_us(took),
                p99_us: in_us(took),
                flushes_per_row: None,
                bytes_per_row: None,
                timer_stall: Duration::ZERO,
            });
        }
    }
    Results {
        title: "reopen: a store with many runs of one row is opened",
        rows,
    }
}

fn fill(subject: &Arc<dyn Subject>, runs: u64) {
    runtime().block_on(async {
        for first in (0..runs).step_by(AT_A_TIME as usize) {
            let some = first..runs.min(first + AT_A_TIME);
            let appends = some.map(|run| async move {
                subject.append(&format!("run-{run}"), 0).await;
            });
            futures_util::future::join_all(appends).await;
        }
    });
}
