//! The cost of an operation beside other ids: ids at rest, and ids being written.

use std::sync::Arc;
use std::time::Duration;

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, row, rows};
use crate::harness::BoxFuture;
use crate::runtime::clock::Stopwatch;

use super::measure::{Bound, Costs, Operations, Trial, median};

/// The number of other ids in the place with many.
const MANY: u64 = 10_000;

/// How many of them are written at a time.
const WRITERS: u64 = 16;

/// Loads in a measurement, and measurements in a try.
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

/// Appends one row to each of `ids` ids.
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

/// The number of ids that are written at once, and the rows of each.
const IDS: u32 = 8;
const ROWS: u64 = 32;

/// How often a try writes one id, and eight ids at once.
const BATCHES: u32 = 10;
const BATCHES_OF_EIGHT: u32 = 2;

pub(crate) async fn prf_04_eight_ids_get_as_much_done_as_one(case: &Case) -> Checked {
    let store = case.open().await?;
    let operations = Arc::new(Operations::default());
    // Eight ids have eight times as much to do, and may take four times as long for it.
    let mut trial = Trial::new(Bound {
        times: IDS * 4,
        floor: Duration::from_micros(50) * ROWS as u32,
    });
    let mut round = 0;
    while trial.goes_on() {
        round += 1;
        // A busy machine only adds time, relatively more to a short measurement. The least of several is
        // the store's own time. So a store is missed only if the machine delays each of the ten.
        let (mut single, mut eight) = (Duration::MAX, Duration::MAX);
        for part in 0..BATCHES {
            let batch = round * BATCHES + part;
            single = single.min(together(&store, &operations, batch, 1).await);
        }
        for part in 0..BATCHES_OF_EIGHT {
            let batch = round * BATCHES_OF_EIGHT + part;
            eight = eight.min(together(&store, &operations, batch, IDS).await);
        }
        let costs = Costs {
            cost: eight,
            base: single,
        };
        trial.note(costs, &operations)?;
    }
    let (what, of) = (
        "32 appends to each of eight ids at once",
        "what 32 appends to one take",
    );
    trial.judge(what, of)
}

/// The time to write `ids` ids at once, as the writers see it. On a busy machine the start of a task, and the
/// news of its end, take longer than its appends.
async fn together(store: &Session, operations: &Arc<Operations>, batch: u32, ids: u32) -> Duration {
    let words = format!("appends to {ids} ids at once");
    store.step(Blame::Store, &words);
    let watch = Stopwatch::start();
    let writers = (0..ids).map(|number| {
        let (store, operations) = (store.clone(), Arc::clone(operations));
        let id = format!("together {batch} {ids} {number}");
        let write: BoxFuture<'static, (Duration, Duration)> = Box::pin(async move {
            let begun = watch.elapsed();
            for sequence in 0..ROWS {
                operations.note(&store.store().append(&id, row(sequence)).await);
                store.progress().beat();
            }
            (begun, watch.elapsed())
        });
        tokio::spawn(write)
    });
    let writers: Vec<_> = writers.collect();
    let (mut begun, mut ended) = (Duration::MAX, Duration::ZERO);
    for writer in writers {
        // Other laws check panics. Operations after a panic are not counted.
        if let Ok((first, last)) = writer.await {
            (begun, ended) = (begun.min(first), ended.max(last));
        }
    }
    ended.saturating_sub(begun)
}
