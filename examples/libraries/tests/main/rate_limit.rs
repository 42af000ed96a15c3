//! A task over the limit is tried again, and does nothing before.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crashpoint::testing::{AttemptEnd, Recorder};
use crashpoint::{Engine, MemoryCheckpointStore, Outcome};
use governor::clock::FakeRelativeClock;
use libraries::rate_limit::{Notice, limiter, workflow};

static DELIVERED: AtomicU32 = AtomicU32::new(0);

#[tokio::test(start_paused = true)]
async fn the_third_notice_within_a_second_waits_for_its_turn() {
    let clock = FakeRelativeClock::default();
    let limiter = Arc::new(limiter(
        NonZeroU32::new(2).expect("it is not 0"),
        clock.clone(),
    ));
    let deliver = |_: &_| _ = DELIVERED.fetch_add(1, Ordering::Relaxed);
    let workflow = workflow(limiter, deliver).expect("it is valid");
    let recorder = Recorder::new();
    let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(recorder.clone());
    for id in ["notice-1", "notice-2"] {
        let ended = engine.run(&workflow, id, Notice::Send, &()).await;
        assert_eq!(ended.expect("it ends"), Outcome::Done(Notice::Sent));
    }
    let third = engine.run(&workflow, "notice-3", Notice::Send, &());
    let time_passes = async {
        // The limiter's clock follows tokio's, which moves when nothing else can.
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.advance(Duration::from_millis(100));
        }
    };
    let ended = tokio::select! {
        ended = third => ended,
        () = time_passes => unreachable!("it never ends"),
    };
    assert_eq!(ended.expect("it ends"), Outcome::Done(Notice::Sent));
    assert_eq!(DELIVERED.load(Ordering::Relaxed), 3);
    let attempts = recorder.attempts("notice-3");
    let over = AttemptEnd::Failed("over the limit".to_owned());
    let (last, refused) = attempts.split_last().expect("there are attempts");
    assert_eq!(last.end, AttemptEnd::Succeeded);
    assert!(
        (4..=6).contains(&refused.len()),
        "half a second in tenths: {attempts:?}"
    );
    assert!(
        refused.iter().all(|attempt| attempt.end == over),
        "{attempts:?}"
    );
}
