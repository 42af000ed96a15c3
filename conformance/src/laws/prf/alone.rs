//! The cost of an append: its tail, and at the end of a long run.

use std::time::Duration;

use crate::case::{Case, Session};
use crate::finding::expect::{Checked, row};
use crate::runtime::clock::Stopwatch;

use super::measure::{Bound, Costs, Operations, Trial, median};

/// Appends in a block, and blocks in a try. A stall of the machine is in some blocks, a stall of the store
/// in each.
const BLOCK: u64 = 200;
const BLOCKS: u64 = 5;

// The 99th percentile is an append of its own.
const _: () = assert!(BLOCK >= 100);

pub(crate) async fn prf_01_no_append_in_a_hundred_stalls(case: &Case) -> Checked {
    let store = case.open().await?;
    let operations = Operations::default();
    let mut trial = Trial::new(Bound {
        times: 100,
        floor: Duration::from_micros(50),
    });
    let mut tries = 0;
    while trial.goes_on() {
        tries += 1;
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for block in 0..BLOCKS {
            let id = format!("stalls {tries} {block}");
            let mut took = Vec::new();
            for sequence in 0..BLOCK {
                took.push(append(&store, &operations, &id, sequence).await);
            }
            took.sort_unstable();
            p50.push(took[took.len() / 2]);
            p99.push(took[took.len() * 99 / 100 - 1]);
        }
        let costs = Costs {
            cost: p99.into_iter().min().unwrap_or_default(),
            base: median(p50),
        };
        trial.note(costs, &operations)?;
    }
    let (what, of) = ("the p99 of appends", "their p50");
    trial.judge(what, of)
}

/// The rows of a long run and of a short run.
const LONG: u64 = 10_000;
const SHORT: u64 = 10;

/// Appends in a measurement, and measurements in a try.
const APPENDS: u64 = 10;
const PAIRS: u64 = 15;

pub(crate) async fn prf_02_an_append_costs_the_same_in_a_long_run(case: &Case) -> Checked {
    let store = case.open().await?;
    let operations = Operations::default();
    for sequence in 0..LONG {
        append(&store, &operations, "long", sequence).await;
    }
    let mut trial = Trial::new(Bound {
        times: 8,
        floor: Duration::from_micros(20) * APPENDS as u32,
    });
    let (mut next, mut number) = (LONG, 0);
    while trial.goes_on() {
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            number += 1;
            let id = format!("short {number}");
            append_some(&store, &operations, &id, 0).await;
            short.push(append_some(&store, &operations, &id, SHORT).await);
            long.push(append_some(&store, &operations, "long", next).await);
            next += APPENDS;
        }
        let costs = Costs {
            cost: median(long),
            base: median(short),
        };
        trial.note(costs, &operations)?;
    }
    let (what, of) = (
        "ten appends to a run of 10,000 rows",
        "what they take in a run of ten",
    );
    trial.judge(what, of)
}

async fn append_some(store: &Session, operations: &Operations, id: &str, from: u64) -> Duration {
    let mut took = Duration::ZERO;
    for sequence in from..from + APPENDS {
        took += append(store, operations, id, sequence).await;
    }
    took
}

async fn append(store: &Session, operations: &Operations, id: &str, sequence: u64) -> Duration {
    let row = row(sequence);
    let watch = Stopwatch::start();
    let appended = store.try_append(id, row).await;
    let took = watch.elapsed();
    operations.note(&appended);
    took
}
