//! Cancelling through a token is a business event: the run goes back, and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use crashpoint::{
    AppendRetry, CancelToken, CauseKind, Direction, Engine, Error, MemoryCheckpointStore, Outcome,
    RetryPolicy,
};
use tokio::time::Instant;

use crate::support::{
    Act, Fault, Faulty, Journal, Order, Scripted, in_memory, order, order_with, stalls, when_doing,
};

fn is_cancelled(outcome: &Outcome<Order>) -> bool {
    matches!(outcome, Outcome::RolledBack(back) if back.cause.kind == CauseKind::Cancelled)
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_in_a_task_goes_back() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let workflow = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let (engine, _) = in_memory();
    let engine = engine.with_cancel(token.clone());
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    token.cancel();
    assert!(is_cancelled(&run.await.expect("the run ends")));
    assert_eq!(
        journal.take(),
        [
            "do charge",
            "do pack",
            "undo pack in doubt of visit 1",
            "undo charge@0"
        ]
    );
    let resumed = engine.resume_from(&workflow, "order-1").await;
    assert!(is_cancelled(&resumed.expect("the run has ended")));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cancelled_before_it_began_runs_no_task() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    token.cancel();
    let workflow = order(&journal, when_doing(&[]));
    let engine = in_memory().0.with_cancel(token);
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(is_cancelled(&outcome.expect("the run ends")));
    assert_eq!(journal.take(), ["undo charge in doubt of visit 0"]);
}

/// The cancellation came while a row was under way; the row was resolved, and the next task was
/// begun all the same, to be undone right after it. What is cancelled starts nothing new.
#[tokio::test(start_paused = true)]
async fn a_cancellation_during_an_append_starts_no_other_task() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let inner = Arc::new(MemoryCheckpointStore::new());
    let cancelling = token.clone();
    let store = Faulty::new(&inner, move |call, sequence| {
        if (call, sequence) == ("append", 1) {
            cancelling.cancel();
        }
        None
    });
    let workflow = order(&journal, when_doing(&[]));
    let engine = Engine::new(store).with_cancel(token);
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(is_cancelled(&outcome.expect("the run ends")));
    assert_eq!(
        journal.take(),
        [
            "do charge",
            "undo pack in doubt of visit 1",
            "undo charge@0"
        ]
    );
}

/// The pause was cut short, as it should be, and then the task was attempted again.
#[tokio::test(start_paused = true)]
async fn a_cancellation_during_the_pause_before_a_retry_ends_the_attempts() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let tasks = Scripted::new(&journal, |ctx| {
        match (ctx.task(), ctx.direction(), ctx.attempt()) {
            ("charge", Direction::Do, 1) => Act::Retry,
            _ => Act::Succeed,
        }
    });
    let hour = Duration::from_secs(3600);
    let workflow = order_with(&tasks, |task| task.retry(RetryPolicy::fixed(5, hour)));
    let engine = in_memory().0.with_cancel(token.clone());
    let begun = Instant::now();
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    token.cancel();
    assert!(is_cancelled(&run.await.expect("the run ends")));
    assert_eq!(
        journal.take(),
        ["do charge", "undo charge in doubt of visit 0"]
    );
    assert_eq!(begun.elapsed(), Duration::ZERO, "the pause was cut short");
}

/// A cancelled run must not hurry through the attempts of its undos: they were all spent within
/// an instant, and a service that was away for a second left the run stuck.
#[tokio::test(start_paused = true)]
async fn a_cancelled_run_still_waits_between_the_attempts_of_an_undo() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let tasks = Scripted::new(&journal, |ctx| match ctx.direction() {
        Direction::Do => Act::Hang,
        Direction::Undo if ctx.attempt() < 3 => Act::Retry,
        Direction::Undo => Act::Succeed,
    });
    let pause = Duration::from_secs(10);
    let workflow = order_with(&tasks, |task| task.undo_retry(RetryPolicy::fixed(3, pause)));
    let engine = in_memory().0.with_cancel(token.clone());
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    token.cancel();
    let begun = Instant::now();
    assert!(is_cancelled(&run.await.expect("the run ends")));
    assert_eq!(begun.elapsed(), 2 * pause);
}

/// Nor through the sends of a row in doubt, or a short outage suspends what it should not.
#[tokio::test(start_paused = true)]
async fn a_cancelled_run_still_waits_before_it_sends_a_row_again() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    token.cancel();
    let inner = Arc::new(MemoryCheckpointStore::new());
    let outage = Duration::from_millis(250);
    let begun = Instant::now();
    let store = Faulty::new(&inner, move |call, _| {
        (call == "append" && begun.elapsed() < outage).then_some(Fault::Lost)
    });
    let workflow = order(&journal, when_doing(&[]));
    let engine = Engine::new(store)
        .with_cancel(token)
        .with_append_retry(AppendRetry {
            sends_max: 5,
            delay: Duration::from_millis(100),
        });
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(is_cancelled(&outcome.expect("the store came back in time")));
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_does_not_interrupt_an_undo_or_turn_an_ending() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let cancelling = token.clone();
    let workflow = order(&journal, move |ctx| match (ctx.task(), ctx.direction()) {
        ("ship", _) => Act::Fatal,
        (_, Direction::Undo) => {
            cancelling.cancel();
            Act::Sleep(Duration::from_secs(1))
        }
        _ => Act::Succeed,
    });
    let engine = in_memory().0.with_cancel(token.clone());
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is rolled back");
    };
    assert_eq!(back.cause.kind, CauseKind::Failure);
    assert!(token.is_cancelled());

    let done = order(&journal, when_doing(&[]));
    let (engine, _) = in_memory();
    let first = engine.run(&done, "order-2", Order::Charge, &()).await;
    assert_eq!(first.expect("it runs"), Outcome::Done(Order::Shipped));
    let resumed = engine
        .with_cancel(token)
        .resume_from(&done, "order-2")
        .await;
    assert_eq!(resumed.expect("it ended"), Outcome::Done(Order::Shipped));
}

#[tokio::test(start_paused = true)]
async fn a_storage_fault_of_a_cancelled_run_is_no_business_event() {
    let (journal, token) = (Journal::default(), CancelToken::new());
    let inner = Arc::new(MemoryCheckpointStore::new());
    let store = Faulty::new(&inner, |call, sequence| {
        (call == "append" && sequence > 0).then_some(Fault::Lost)
    });
    let workflow = order(&journal, when_doing(&[("charge", Act::Hang)]));
    let engine = Engine::new(store).with_cancel(token.clone());
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    token.cancel();
    let error = run.await.expect_err("the store is away");
    assert!(matches!(
        error,
        Error::Suspended {
            in_doubt: Some(1),
            ..
        }
    ));
    assert_eq!(journal.take(), ["do charge"], "nothing is undone");
}

/// An executor may poll a task from within its waker. The token woke its tasks while it held its
/// own lock, and such a task never came back from asking whether it is cancelled.
#[test]
fn a_waker_may_ask_the_token_that_woke_it() {
    struct Asks(CancelToken, AtomicBool);

    impl Wake for Asks {
        fn wake(self: Arc<Self>) {
            self.1.store(self.0.is_cancelled(), Ordering::SeqCst);
        }
    }

    let token = CancelToken::new();
    let asks = Arc::new(Asks(token.clone(), AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&asks));
    let mut cancelled = Box::pin(token.cancelled());
    let mut context = Context::from_waker(&waker);
    assert!(cancelled.as_mut().poll(&mut context).is_pending());
    token.cancel();
    assert!(asks.1.load(Ordering::SeqCst), "it was woken, and cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_token_asks_every_clone_and_only_once() {
    let token = CancelToken::new();
    let clone = token.clone();
    assert!(!clone.is_cancelled());
    assert_eq!(format!("{clone:?}"), "CancelToken { cancelled: false }");
    token.cancel();
    token.cancel();
    assert!(clone.is_cancelled());
    clone.cancelled().await;
    clone.cancelled().await;
}
