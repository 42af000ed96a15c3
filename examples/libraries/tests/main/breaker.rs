//! An open breaker keeps attempts from the receiver.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crashpoint::testing::{AttemptEnd, Recorder};
use crashpoint::{Engine, MemoryCheckpointStore, Outcome};
use libraries::breaker::{Parcel, breaker, workflow};

const AN_HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn attempts_at_an_open_breaker_do_not_reach_the_carrier() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let down = move |_: &_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Err("the carrier is down".to_owned())
    };
    let workflow = workflow(Arc::new(breaker(AN_HOUR)), down).expect("it is valid");
    let recorder = Recorder::new();
    let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(recorder.clone());
    let ended = engine
        .run(&workflow, "parcel-1", Parcel::HandOver, &())
        .await;
    let Ok(Outcome::RolledBack(end)) = ended else {
        panic!("the policy gives up: {ended:?}");
    };
    assert_eq!(&*end.cause.message, "the breaker is open");
    let attempts = recorder.attempts("parcel-1");
    let rejected = AttemptEnd::Failed("the breaker is open".to_owned());
    let rejected = attempts
        .iter()
        .filter(|attempt| attempt.end == rejected)
        .count();
    let asked = asked.load(Ordering::Relaxed) as usize;
    assert_eq!((attempts.len(), asked + rejected), (100, 100));
    assert!(
        (10..=12).contains(&asked),
        "ten calls open the breaker, not {asked}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_is_back_gets_the_parcel_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let back = move |_: &_| match counted.fetch_add(1, Ordering::Relaxed) {
        0..3 => Err("the carrier is down".to_owned()),
        _ => Ok(()),
    };
    let workflow = workflow(Arc::new(breaker(AN_HOUR)), back).expect("it is valid");
    let engine = Engine::new(MemoryCheckpointStore::new());
    let ended = engine
        .run(&workflow, "parcel-1", Parcel::HandOver, &())
        .await;
    assert_eq!(ended.expect("it ends"), Outcome::Done(Parcel::HandedOver));
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}
