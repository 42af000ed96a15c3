//! ENG-01: a life may end at every operation of the store, and the next life continues.

use std::pin::pin;

use super::{TERMINAL, ends_the_same_again, not_reached, uninterrupted};
use crate::case::halting::{Halting, Point, Side, points, until_halted};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure};
use crate::laws::eng::saga::{Ending, Saga, engine};

/// A first crash in the forward half, for crashes during the recovery from it.
const FIRST: Point = Point {
    operation: 4,
    side: Side::After,
};

pub(crate) async fn eng_01_a_workflow_survives_a_crash_at_every_operation(case: &Case) -> Checked {
    let store = case.open().await?;
    for ending in TERMINAL {
        let operations = uninterrupted(&store, ending).await?;
        for point in points(operations) {
            survives(&store, ending, &[point]).await?;
        }
        let recovering = recovery(&store, ending).await?;
        for point in points(recovering) {
            survives(&store, ending, &[FIRST, point]).await?;
        }
    }
    Ok(())
}

/// The number of store operations of the recovery from the first crash.
async fn recovery(store: &Session, ending: Ending) -> Result<u64, Failure> {
    let saga = Saga::new(format!("a recovery: {ending:?}"), ending);
    crash(store, &saga, &[FIRST]).await?;
    let halting = Halting::new(store, None);
    let got = saga.run_or_resume(&engine(halting.clone())).await;
    ending.check(&got, "a run resumed after one crash")?;
    Ok(halting.operations())
}

/// One run with a life for each crash, and a last life that ends it.
async fn survives(store: &Session, ending: Ending, crashes: &[Point]) -> Checked {
    let saga = Saga::new(format!("{ending:?}, crashes at {crashes:?}"), ending);
    let when = crash(store, &saga, crashes).await?;
    let last = engine(Halting::new(store, None));
    let got = saga.run_or_resume(&last).await;
    ending.check(&got, &when)?;
    saga.ledger.check(ending, crashes.len(), &when)?;
    ends_the_same_again(store, &saga, &when).await
}

/// Lets a life run up to each crash. Returns a description for messages.
async fn crash(store: &Session, saga: &Saga, crashes: &[Point]) -> Result<String, Failure> {
    let mut words = Vec::new();
    for &point in crashes {
        let halting = Halting::new(store, Some(point));
        let life = pin!(saga.run_or_resume(&engine(halting.clone())));
        if let Some(got) = until_halted(&halting, life).await {
            return Err(not_reached(point, &got));
        }
        words.push(format!("a crash {}", halting.whereabouts()));
    }
    Ok(format!("a run resumed after {}", words.join(", then ")))
}
