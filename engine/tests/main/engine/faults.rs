//! A store that fails: appends whose fate is unknown, and lives that take a run from each other.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    AppendRetry, CheckpointStore, Engine, Error, MemoryCheckpointStore, Outcome, StoreErrorKind,
};

use crate::support::{
    Act, Fault, Faulty, Journal, Order, in_memory, order, rows_in_words, stalls, when_doing,
};

/// How many rows a run of the order has that ends well.
const ROWS: u64 = 4;

fn unretried() -> AppendRetry {
    AppendRetry {
        sends_max: 1,
        delay: Duration::ZERO,
    }
}

fn memory() -> Arc<MemoryCheckpointStore> {
    Arc::new(MemoryCheckpointStore::new())
}

/// A run whose append of row `at` meets `fault` and is not sent again.
async fn faulted_at(
    at: u64,
    fault: Fault,
    inner: &Arc<MemoryCheckpointStore>,
    journal: &Journal,
) -> Result<Outcome<Order>, Error> {
    let store = Faulty::new(inner, move |call, sequence| {
        ((call, sequence) == ("append", at)).then_some(fault)
    });
    let engine = Engine::new(store).with_append_retry(unretried());
    let workflow = order(journal, when_doing(&[]));
    engine.run(&workflow, "order-1", Order::Charge, &()).await
}

#[tokio::test(start_paused = true)]
async fn a_lost_acknowledgement_is_no_event_at_any_row() {
    for at in 0..ROWS {
        let journal = Journal::default();
        let outcome = faulted_at(at, Fault::Unacknowledged, &memory(), &journal).await;
        assert_eq!(outcome.expect("it runs"), Outcome::Done(Order::Shipped));
        assert_eq!(journal.take(), ["do charge", "do pack", "do ship"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_row_suspends_and_a_resume_repeats_just_its_task() {
    let all = ["do charge", "do pack", "do ship"];
    for at in 0..ROWS {
        let (journal, inner) = (Journal::default(), memory());
        let outcome = faulted_at(at, Fault::Lost, &inner, &journal).await;
        let error = outcome.expect_err("the row was lost");
        let Error::Suspended {
            in_doubt, source, ..
        } = &error
        else {
            panic!("{error} suspends");
        };
        assert_eq!(*in_doubt, Some(at));
        assert_eq!(source.kind(), StoreErrorKind::Unavailable);
        assert_eq!(
            error.to_string(),
            format!(
                "run \"order-1\" is suspended with sequence {at} in doubt: no route to the store"
            )
        );
        let place = usize::try_from(at).expect("few rows");
        assert_eq!(journal.take(), all[..place], "nothing is undone");

        let engine = Engine::new(inner);
        let workflow = order(&journal, when_doing(&[]));
        let resumed = engine.resume_from(&workflow, "order-1").await;
        if at == 0 {
            assert!(matches!(resumed, Err(Error::NotFound { .. })));
            continue;
        }
        assert_eq!(resumed.expect("it ends"), Outcome::Done(Order::Shipped));
        assert_eq!(journal.take(), all[place - 1..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_is_sent_again_while_the_store_is_away_for_a_moment() {
    let (journal, inner) = (Journal::default(), memory());
    let begun = tokio::time::Instant::now();
    let outage = Duration::from_millis(350);
    let store = Faulty::new(&inner, move |call, _| {
        (call == "append" && begun.elapsed() < outage).then_some(Fault::Lost)
    });
    let workflow = order(&journal, when_doing(&[]));
    let engine = Engine::new(store);
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert_eq!(
        outcome.expect("the store came back"),
        Outcome::Done(Order::Shipped)
    );
    assert_eq!(begun.elapsed(), Duration::from_millis(400));
    assert_eq!(journal.take(), ["do charge", "do pack", "do ship"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_can_not_be_read_suspends_without_a_claim() {
    let (journal, inner) = (Journal::default(), memory());
    let store = Faulty::new(&inner, |call, _| (call == "load").then_some(Fault::Lost));
    let engine = Engine::new(store);
    let workflow = order(&journal, when_doing(&[]));
    let error = engine.resume_from(&workflow, "order-1").await;
    let error = error.expect_err("the store is away");
    assert!(matches!(error, Error::Suspended { in_doubt: None, .. }));
    assert_eq!(
        error.to_string(),
        "run \"order-1\" is suspended: no route to the store"
    );
    assert_eq!(error.category(), "suspended");
    assert!(error.store_error().is_some());
    let status = engine.status("order-1").await.expect_err("nor asked");
    assert_eq!(
        status.to_string(),
        "checkpoint store: no route to the store"
    );
    assert_eq!(rows_in_words(&inner, "order-1").await, "");
}

#[tokio::test(start_paused = true)]
async fn a_storage_fault_in_a_rollback_suspends_it_where_it_is() {
    let (journal, inner) = (Journal::default(), memory());
    // Row 4 records the undo of pack.
    let store = Faulty::new(&inner, |call, sequence| {
        ((call, sequence) == ("append", 4)).then_some(Fault::Lost)
    });
    let engine = Engine::new(store).with_append_retry(unretried());
    let workflow = order(&journal, when_doing(&[("ship", Act::Fatal)]));
    let error = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(matches!(
        error,
        Err(Error::Suspended {
            in_doubt: Some(4),
            ..
        })
    ));
    assert_eq!(
        journal.take(),
        ["do charge", "do pack", "do ship", "undo pack@1"]
    );
    let resumed = Engine::new(inner).resume_from(&workflow, "order-1").await;
    assert!(matches!(resumed, Ok(Outcome::RolledBack(_))));
    assert_eq!(journal.take(), ["undo pack@1", "undo charge@0"]);
}

/// The older life finishes the one task that it had begun, learns of the takeover from its own
/// append, and does nothing more.
#[tokio::test(start_paused = true)]
async fn a_life_that_was_taken_over_stops_at_its_next_row() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let minute = Duration::from_secs(60);
    let slow = order(&journal, when_doing(&[("pack", Act::Sleep(minute))]));
    let mut older = Box::pin(engine.run(&slow, "order-1", Order::Charge, &()));
    stalls(&mut older).await;

    let quick = order(&journal, when_doing(&[]));
    let newer = engine.resume_from(&quick, "order-1").await;
    assert_eq!(newer.expect("it ends"), Outcome::Done(Order::Shipped));
    let log = rows_in_words(&store, "order-1").await;
    journal.take();

    let error = older.await.expect_err("it was taken over");
    assert!(matches!(error, Error::Fenced { .. }));
    assert_eq!(
        error.to_string(),
        "run \"order-1\" was taken over by another life"
    );
    assert_eq!(journal.take(), [""; 0], "nothing is done or undone");
    assert_eq!(rows_in_words(&store, "order-1").await, log);
}

/// The part of a task that outlives it can ask whether it still may.
#[tokio::test(start_paused = true)]
async fn a_fenced_life_tells_what_its_tasks_left_running() {
    let (kept, keep) = std::sync::mpsc::channel();
    let journal = Journal::default();
    let (engine, _) = in_memory();
    let keeping = order(&journal, move |ctx| {
        if ctx.task() == "pack" {
            kept.send(ctx.clone()).expect("the test listens");
            return Act::Sleep(Duration::from_secs(1));
        }
        Act::Succeed
    });
    let mut older = Box::pin(engine.run(&keeping, "order-1", Order::Charge, &()));
    stalls(&mut older).await;
    let ctx = keep.recv().expect("pack runs");
    assert!(!ctx.is_fenced());
    let workflow = order(&journal, when_doing(&[]));
    engine
        .resume_from(&workflow, "order-1")
        .await
        .expect("it ends");
    assert!(!ctx.is_fenced(), "it has not learnt of it yet");
    assert!(matches!(older.await, Err(Error::Fenced { .. })));
    assert!(ctx.is_fenced());
}

#[tokio::test(start_paused = true)]
async fn two_resumes_at_once_leave_one_owner() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let mut first = Box::pin(engine.run(&hanging, "order-1", Order::Charge, &()));
    stalls(&mut first).await;
    drop(first);
    let slow = order(
        &journal,
        when_doing(&[("pack", Act::Sleep(Duration::from_secs(1)))]),
    );
    let (left, right) = tokio::join!(
        engine.resume_from(&slow, "order-1"),
        engine.resume_from(&slow, "order-1"),
    );
    let outcomes = [left, right];
    let done = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Done(Order::Shipped))));
    assert_eq!(done.count(), 1);
    let fenced = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(Error::Fenced { .. })));
    assert_eq!(fenced.count(), 1);
    let rows = store.load_run("order-1").await.expect("memory loads");
    crashpoint::rebuild(&rows).expect("the log is legal");
}

/// Dropped in the middle of an append, before the row is durable or after it.
#[tokio::test(start_paused = true)]
async fn a_run_dropped_in_an_append_is_resumable() {
    for at in 1..ROWS {
        let (journal, inner) = (Journal::default(), memory());
        let mut run = Box::pin(faulted_at(at, Fault::Hang, &inner, &journal));
        stalls(&mut run).await;
        drop(run);
        let workflow = order(&journal, when_doing(&[]));
        let resumed = Engine::new(inner).resume_from(&workflow, "order-1").await;
        assert_eq!(resumed.expect("it ends"), Outcome::Done(Order::Shipped));
        assert_eq!(journal.take().len(), 4, "one task ran twice");
    }
}
