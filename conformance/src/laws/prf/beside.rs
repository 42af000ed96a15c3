//! What an operation costs beside others: ids that lie there, and ids that are written.

use std::sync::Arc;
use std::time::Duration;

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, row, rows};
use crate::harness::BoxFuture;
use crate::runtime::clock::Stopwatch;

use super::measure::{Bound, Costs, Operations, Trial, median};

/// The ids beside the one that is loaded, in the place that has many.
const MANY: u64 = 10_000;

/// So many of them are written at a time.
const WRITERS: u64 = 16;

/// Loads that are measured at a time, and how often.
const LOADS: u32 = 5;
const PAIRS: u32 = 15;

pub(crate) async fn prf_03_a_load_costs_the_same_beside_many_ids(case: &Case) -> Checked {
    let operations = Arc::new(Operations::default());
    let places = [case.another_place()?, case.another_place()?];
    let few = case.open_at(&places[0]).await?;
    let many = case.open_at(&places[1]).await?;
    for (store, ids) in [(&few, 1), (&many, MANY)] {
        for row in rows(0..10) {
            operations.note(&store.try_append("loaded", row).await);
        }
        fill(store, &operations, ids).await?;
    }
    let mut trial = Trial::new(Bound {
        times: 8,
        floor: Duration::from_micros(50) * LOADS,
    });
    while trial.goes_on() {
        let (mut beside_few, mut beside_many) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            beside_few.push(load(&few, &operations).await);
            beside_many.push(load(&many, &operations).await);
        }
        let costs = Costs {
            cost: median(beside_many),
            base: median(beside_few),
        };
        trial.note(costs, &operations)?;
    }
    let (what, of) = (
        "five loads of ten rows beside 10,000 other ids",
        "what they take beside one",
    );
    let checked = trial.judge(what, of);
    drop(few);
    case.drop_all(many).await?;
    for place in &places {
        case.leave(place).await?;
    }
    checked
}

/// One row for each of so many ids.
async fn fill(store: &Session, operations: &Arc<Operations>, ids: u64) -> Checked {
    let writers = (0..WRITERS.min(ids)).map(|writer| {
        let (store, operations) = (store.clone(), Arc::clone(operations));
        let write: BoxFuture<'static, ()> = Box::pin(async move {
            for number in (writer..ids).step_by(WRITERS as usize) {
                let id = format!("beside {number}");
                operations.note(&store.try_append(&id, row(0)).await);
            }
        });
        tokio::spawn(write)
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        joined(writer.await)?;
    }
    Ok(())
}

fn joined<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, Failure> {
    joined.map_err(|error| broken(format!("a caller failed: {error}")))
}

async fn load(store: &Session, operations: &Operations) -> Duration {
    let watch = Stopwatch::start();
    for _ in 0..LOADS {
        operations.note(&store.try_load("loaded").await);
    }
    watch.elapsed()
}

/// The ids that are written at once, and the rows of each.
const IDS: u32 = 8;
const ROWS: u64 = 32;

/// How often one id is written in a try, and eight at once.
const BATCHES: u32 = 5;
const BATCHES_OF_EIGHT: u32 = 2;

pub(crate) async fn prf_04_eight_ids_get_as_much_done_as_one(case: &Case) -> Checked {
    let store = case.open().await?;
    let operations = Arc::new(Operations::default());
    // Together they have eight times as much to do, for which they may take four times that long.
    let mut trial = Trial::new(Bound {
        times: IDS * 4,
        floor: Duration::from_micros(50) * ROWS as u32,
    });
    let mut round = 0;
    while trial.goes_on() {
        round += 1;
        // A core that is taken away only adds time, and the more the shorter a measurement is: the least
        // of several is the store's own.
        let (mut one, mut eight) = (Duration::MAX, Duration::MAX);
        for part in 0..BATCHES {
            let batch = round * BATCHES + part;
            one = one.min(together(&store, &operations, batch, 1).await);
        }
        for part in 0..BATCHES_OF_EIGHT {
            let batch = round * BATCHES_OF_EIGHT + part;
            eight = eight.min(together(&store, &operations, batch, IDS).await);
        }
        let costs = Costs {
            cost: eight,
            base: one,
        };
        trial.note(costs, &operations)?;
    }
    let (what, of) = (
        "32 appends to each of eight ids at once",
        "what 32 appends to one take",
    );
    trial.judge(what, of)
}

/// How long so many ids take, written at once.
async fn together(store: &Session, operations: &Arc<Operations>, batch: u32, ids: u32) -> Duration {
    let words = format!("appends to {ids} ids at once");
    store.step(Blame::Store, &words);
    let watch = Stopwatch::start();
    let writers = (0..ids).map(|number| {
        let (store, operations) = (store.clone(), Arc::clone(operations));
        let id = format!("together {batch} {ids} {number}");
        let write: BoxFuture<'static, ()> = Box::pin(async move {
            for sequence in 0..ROWS {
                operations.note(&store.store().append(&id, row(sequence)).await);
                store.progress().beat();
            }
        });
        tokio::spawn(write)
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        // A panic is the business of other laws, and leaves its operations out of the count.
        let _ = writer.await;
    }
    watch.elapsed()
}
