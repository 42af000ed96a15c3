//! What happens when a task fails: retries, time limits, and the way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crashpoint::{
    CancelToken, CauseKind, CompensatableTask, Ctx, Direction, Engine, Error,
    MemoryCheckpointStore, Outcome, RetryPolicy, State, StatusPhase, Task, TaskError, Undone,
    Workflow,
};
use expect_test::{Expect, expect};
use tokio::time::Instant;

use crate::support::{
    Act, Journal, Order, Scripted, in_memory, order, order_with, rows_in_words, stalls, when_doing,
};

async fn check_rolled_back(script: &[(&'static str, Act)], cause: &str, log: &Expect) {
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(script));
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    let outcome = outcome.expect("the run ends");
    let Outcome::RolledBack(back) = &outcome else {
        panic!("{outcome:?} is rolled back");
    };
    assert_eq!(back.cause.to_string(), cause);
    let rows = rows_in_words(&store, "order-1").await;
    log.assert_eq(&format!("{}\n{rows}", journal.take().join("\n")));
    let status = engine.status("order-1").await.expect("it has a log");
    assert_eq!(status.phase, StatusPhase::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn a_failed_plain_task_undoes_all_that_completed_in_reverse() {
    check_rolled_back(
        &[("ship", Act::Fatal)],
        "failed: refused",
        &expect![[r#"
        do charge
        do pack
        do ship
        undo pack@1
        undo charge@0
        0 claim "Charge" ""
        1 compensation_completion "Pack" "charge"
        2 compensation_completion "Ship" "pack"
        3 rollback_start "Ship" "ship"
        4 compensated "" "pack"
        5 compensated "" "charge"
        6 rolled_back "" ""
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_compensatable_task_is_undone_first_and_in_doubt() {
    check_rolled_back(
        &[("pack", Act::Retry)],
        "failed: busy",
        &expect![[r#"
        do charge
        do pack
        undo pack in doubt of visit 1
        undo charge@0
        0 claim "Charge" ""
        1 compensation_completion "Pack" "charge"
        2 rollback_start "Pack" "pack"
        3 compensated "" "pack"
        4 compensated "" "charge"
        5 rolled_back "" ""
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_task_s_failure() {
    check_rolled_back(
        &[("pack", Act::Panic)],
        "failed: panicked: a bug in pack",
        &expect![[r#"
            do charge
            do pack
            undo pack in doubt of visit 1
            undo charge@0
            0 claim "Charge" ""
            1 compensation_completion "Pack" "charge"
            2 rollback_start "Pack" "pack"
            3 compensated "" "pack"
            4 compensated "" "charge"
            5 rolled_back "" ""
        "#]],
    )
    .await;
}

/// A future that panics while it is dropped, an error that panics while it is told, and a payload
/// that panics while it is thrown away took the whole life with them, and every resume as well: the
/// run never ended.
#[tokio::test(start_paused = true)]
async fn a_panic_beside_the_task_s_own_code_is_contained() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "dropped");
        }
    }
    #[derive(Debug)]
    struct Speechless;
    impl std::fmt::Display for Speechless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }
    impl std::error::Error for Speechless {}
    async fn check(task: impl Task<Bare>, cancel: bool, cause: &str) {
        let workflow = Workflow::builder("bare", 1)
            .task(Bare::Only, "only", task)
            .attempt_timeout(Duration::from_millis(10))
            .exit(Bare::Over)
            .build()
            .expect("it is valid");
        let token = CancelToken::new();
        let engine = Engine::new(MemoryCheckpointStore::new()).with_cancel(token.clone());
        let cancelling = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if cancel {
                token.cancel();
            }
        };
        let run = engine.run(&workflow, "bare-1", Bare::Only, &());
        let Ok(Outcome::RolledBack(back)) = tokio::join!(run, cancelling).0 else {
            panic!("the run is rolled back");
        };
        assert_eq!(back.cause.to_string(), cause);
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    enum Bare {
        Only,
        Over,
    }
    let hangs = |_ctx: Ctx| async {
        let _dropped = PanicsOnDrop;
        std::future::pending::<Result<Bare, TaskError>>().await
    };
    check(
        hangs,
        false,
        "timed out: the attempt took longer than 10 ms",
    )
    .await;
    check(hangs, true, "cancelled").await;
    let fails = |_ctx: Ctx| async { Err::<Bare, _>(TaskError::fatal(Speechless)) };
    check(fails, false, "failed: panicked: no words").await;
    let panics = |_ctx: Ctx| async { std::panic::panic_any(PanicsOnDrop) };
    check(panics, false, "failed: panicked: no message").await;
}

#[tokio::test(start_paused = true)]
async fn a_loop_undoes_every_visit_with_the_output_of_that_visit() {
    let journal = Journal::default();
    let workflow = order(&journal, |ctx| match (ctx.task(), ctx.visit()) {
        ("ship", _) => Act::Fatal,
        ("pack", 1) if ctx.direction() == Direction::Do => Act::GoTo(Order::Charge),
        _ => Act::Succeed,
    });
    let (engine, _) = in_memory();
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))));
    let undos: Vec<String> = journal.take().split_off(5);
    assert_eq!(
        undos,
        [
            "undo pack@3",
            "undo charge@2",
            "undo pack@1",
            "undo charge@0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_is_retried_with_pauses_until_it_succeeds() {
    let journal = Journal::default();
    let tasks = Scripted::new(&journal, |ctx| match (ctx.task(), ctx.attempt()) {
        ("pack", 1 | 2) => Act::Retry,
        _ => Act::Succeed,
    });
    let pause = Duration::from_secs(7);
    let workflow = order_with(&tasks, |task| task.retry(RetryPolicy::fixed(3, pause)));
    let begun = Instant::now();
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert_eq!(outcome.expect("it runs"), Outcome::Done(Order::Shipped));
    assert_eq!(begun.elapsed(), 2 * pause);
    let attempts = ["do charge", "do pack", "do pack", "do pack", "do ship"];
    assert_eq!(journal.take(), attempts);
    let rows = rows_in_words(&store, "order-1").await;
    assert_eq!(rows.lines().count(), 4, "attempts leave no rows");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_dropped_and_tried_again() {
    let journal = Journal::default();
    let tasks = Scripted::new(&journal, |ctx| match (ctx.task(), ctx.attempt()) {
        ("charge", 1) if ctx.direction() == Direction::Do => Act::Hang,
        ("charge", _) => Act::Sleep(Duration::from_secs(4)),
        ("ship", _) => Act::Sleep(Duration::from_secs(6)),
        _ => Act::Succeed,
    });
    let limit = Duration::from_secs(5);
    let workflow = order_with(&tasks, |task| {
        task.attempt_timeout(limit)
            .retry(RetryPolicy::fixed(2, Duration::ZERO))
    });
    let begun = Instant::now();
    let outcome = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is rolled back");
    };
    assert_eq!(back.cause.kind, CauseKind::Timeout);
    assert_eq!((back.state, &*back.task), (Order::Ship, "ship"));
    assert_eq!(
        back.cause.to_string(),
        "timed out: the attempt took longer than 5000 ms"
    );
    // Two of charge, two of ship, and the undo of charge.
    assert_eq!(begun.elapsed(), Duration::from_secs(5 + 4 + 5 + 5 + 4));
}

#[tokio::test(start_paused = true)]
async fn an_undo_is_retried_and_limited_in_time_like_a_task() {
    let journal = Journal::default();
    let tasks = Scripted::new(&journal, |ctx| match (ctx.direction(), ctx.attempt()) {
        (Direction::Undo, 1) => Act::Hang,
        (Direction::Undo, 2) => Act::Retry,
        (Direction::Do, _) if ctx.task() == "pack" => Act::Fatal,
        _ => Act::Succeed,
    });
    let second = Duration::from_secs(1);
    let workflow = order_with(&tasks, |task| {
        task.attempt_timeout(second)
            .undo_retry(RetryPolicy::fixed(3, second))
    });
    let begun = Instant::now();
    let outcome = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))));
    assert_eq!(begun.elapsed(), 2 * 3 * second);
}

/// A run of which `charge` and the open `pack` can't be undone until `mended` is set.
fn stuck_until(mended: &Arc<AtomicBool>, journal: &Journal) -> Workflow<Order> {
    let mended = Arc::clone(mended);
    order(journal, move |ctx| match (ctx.task(), ctx.direction()) {
        ("pack", Direction::Do) if ctx.visit() > 1 => Act::Fatal,
        ("pack", Direction::Do) => Act::GoTo(Order::Charge),
        ("charge", Direction::Undo) if !mended.load(Ordering::Relaxed) => Act::Panic,
        _ => Act::Succeed,
    })
}

#[tokio::test(start_paused = true)]
async fn a_stuck_run_reports_its_leftovers_and_is_retried_on_request_only() {
    let (journal, mended) = (Journal::default(), Arc::new(AtomicBool::new(false)));
    let workflow = stuck_until(&mended, &journal);
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    let outcome = outcome.expect("stuck is an ending");
    let Outcome::Stuck(stuck) = &outcome else {
        panic!("{outcome:?} is stuck");
    };
    let leftovers: Vec<_> = stuck
        .leftovers
        .iter()
        .map(|left| (&*left.task, left.undone, &*left.error))
        .collect();
    let error = "panicked: a bug in charge";
    assert_eq!(
        leftovers,
        [
            ("charge", Undone::Completion(3), error),
            ("charge", Undone::Completion(1), error)
        ]
    );
    assert_eq!((stuck.state, &*stuck.task), (Order::Pack, "pack"));
    let status = engine.status("order-1").await.expect("it has a log");
    let tasks = vec!["charge".to_owned(); 2];
    assert_eq!(status.phase, StatusPhase::Stuck { tasks });

    let log = rows_in_words(&store, "order-1").await;
    journal.take();
    let resumed = engine.resume_from(&workflow, "order-1").await;
    assert_eq!(resumed.expect("it is stuck still"), outcome);
    assert_eq!(rows_in_words(&store, "order-1").await, log);
    assert_eq!(journal.take(), [""; 0]);

    let retried = engine.retry_stuck(&workflow, "order-1").await;
    assert!(matches!(retried, Ok(Outcome::Stuck(again)) if again == *stuck));
    assert_eq!(journal.take(), ["undo charge@2", "undo charge@0"]);

    mended.store(true, Ordering::Relaxed);
    let retried = engine.retry_stuck(&workflow, "order-1").await;
    assert!(matches!(retried, Ok(Outcome::RolledBack(_))));
    assert_eq!(journal.take(), ["undo charge@2", "undo charge@0"]);
    let error = engine.retry_stuck(&workflow, "order-1").await;
    let error = error.expect_err("it is stuck no more");
    assert!(matches!(error, Error::NotStuck { .. }));
    assert_eq!(error.to_string(), "run \"order-1\" is not stuck");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_was_dropped_goes_on_backwards() {
    let journal = Journal::default();
    let (engine, _) = in_memory();
    let hanging = order(&journal, |ctx| match (ctx.task(), ctx.direction()) {
        ("ship", _) => Act::Fatal,
        ("charge", Direction::Undo) => Act::Hang,
        _ => Act::Succeed,
    });
    let mut run = Box::pin(engine.run(&hanging, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    drop(run);
    let status = engine.status("order-1").await.expect("it has a log");
    assert_eq!(status.phase, StatusPhase::RollingBack { pending: 1 });
    journal.take();
    let mended = order(&journal, when_doing(&[]));
    let resumed = engine.resume_from(&mended, "order-1").await;
    assert!(matches!(resumed, Ok(Outcome::RolledBack(_))));
    assert_eq!(journal.take(), ["undo charge@0"]);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_was_not_overridden_leaves_a_visit_in_doubt_as_it_is() {
    struct Forgetful;

    impl CompensatableTask<Order> for Forgetful {
        type Output = u8;

        async fn run(&self, _ctx: Ctx) -> Result<(Order, u8), TaskError> {
            Err(TaskError::fatal("nothing happened"))
        }

        async fn compensate(&self, _ctx: Ctx, _output: u8) -> Result<(), TaskError> {
            Err(TaskError::fatal("there is nothing to undo"))
        }
    }

    let tasks = Scripted::new(&Journal::default(), when_doing(&[]));
    let workflow = Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", Forgetful)
        .compensatable(Order::Pack, "pack", tasks.clone())
        .compensatable(Order::Ship, "ship", tasks)
        .exit(Order::Shipped)
        .build()
        .expect("it is valid");
    let outcome = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    assert!(matches!(outcome, Ok(Outcome::RolledBack(_))));
}

#[derive(Debug, thiserror::Error)]
#[error("the request failed")]
struct Nested(#[source] std::num::ParseIntError);

/// What went wrong underneath is in the log, and an error that is no error of ours turns into one
/// that is worth another attempt.
#[tokio::test(start_paused = true)]
async fn a_cause_tells_what_the_error_came_from() {
    async fn charge(_ctx: Ctx) -> Result<Order, TaskError> {
        let _cents: u32 = "x".parse().map_err(Nested)?;
        Ok(Order::Pack)
    }

    let tasks = Scripted::new(&Journal::default(), when_doing(&[]));
    let workflow = Workflow::builder("order", 1)
        .task(Order::Charge, "charge", charge)
        .compensatable(Order::Pack, "pack", tasks.clone())
        .compensatable(Order::Ship, "ship", tasks)
        .exit(Order::Shipped)
        .build()
        .expect("it is valid");
    let outcome = in_memory()
        .0
        .run(&workflow, "order-1", Order::Charge, &())
        .await;
    let Ok(Outcome::RolledBack(back)) = outcome else {
        panic!("{outcome:?} is rolled back");
    };
    assert_eq!(
        back.cause.to_string(),
        "failed: the request failed: invalid digit found in string"
    );
}
