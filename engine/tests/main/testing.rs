//! The helpers for tests of a workflow: what they say of a run, and how their store fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crashpoint::testing::{AppendFault, Attempt, AttemptEnd, FailingStore, Recorder};
use crashpoint::{
    CheckpointRow, CheckpointStore as _, Direction, Engine, Error, MemoryCheckpointStore,
    StoreErrorKind,
};
use expect_test::expect;

use crate::support::{Act, Journal, Order, Scripted, order_with, stalls, when_doing};

fn order(script: &[(&'static str, Act)]) -> crashpoint::Workflow<Order> {
    let tasks = Scripted::new(&Journal::default(), when_doing(script));
    order_with(&tasks, |task| task)
}

fn recorded() -> (Engine, Recorder) {
    let recorder = Recorder::new();
    let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(recorder.clone());
    (engine, recorder)
}

fn in_words(attempts: &[Attempt]) -> String {
    let words = |attempt: &Attempt| {
        let Attempt {
            task,
            direction,
            number,
            end,
            ..
        } = attempt;
        format!("{direction:?} {task} {number}: {end:?}")
    };
    attempts.iter().map(words).collect::<Vec<_>>().join("\n")
}

#[tokio::test(start_paused = true)]
async fn a_recorder_has_the_path_and_the_attempts_of_each_run() {
    let (engine, recorder) = recorded();
    _ = engine.run(&order(&[]), "order-1", Order::Charge, &()).await;
    let refused = order(&[("ship", Act::Fatal)]);
    _ = engine.run(&refused, "order-2", Order::Charge, &()).await;
    recorder.assert_path(
        "order-1",
        [Order::Charge, Order::Pack, Order::Ship, Order::Shipped],
    );
    recorder.assert_undone("order-1", []);
    recorder.assert_path("order-2", [Order::Charge, Order::Pack, Order::Ship]);
    recorder.assert_undone("order-2", ["pack", "charge"]);
    expect![[r#"
        Do charge 1: Succeeded
        Do pack 1: Succeeded
        Do ship 1: Failed("refused")
        Undo pack 1: Succeeded
        Undo charge 1: Succeeded"#]]
    .assert_eq(&in_words(&recorder.attempts("order-2")));
    assert_eq!(recorder.path("order-3"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_recorder_continues_a_path_over_lives() {
    let (engine, recorder) = recorded();
    let hangs = order(&[("pack", Act::Hang)]);
    let mut run = Box::pin(engine.run(&hangs, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    drop(run);
    let left = recorder.attempts("order-1").pop().expect("it packs");
    assert_eq!((&*left.task, left.end), ("pack", AttemptEnd::Open));
    assert_eq!(left.direction, Direction::Do);
    _ = engine.resume_from(&order(&[]), "order-1").await;
    recorder.assert_path(
        "order-1",
        [Order::Charge, Order::Pack, Order::Ship, Order::Shipped],
    );
}

#[tokio::test(start_paused = true)]
async fn an_assertion_that_fails_says_what_the_run_did() {
    let (engine, recorder) = recorded();
    let refused = order(&[("ship", Act::Fatal)]);
    _ = engine.run(&refused, "order-1", Order::Pack, &()).await;
    let words = |assertion: &dyn Fn()| {
        let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it does not hold");
        *panic.downcast::<String>().expect("it has words")
    };
    let said = [
        words(&|| recorder.assert_path("order-1", [Order::Charge])),
        words(&|| recorder.assert_undone("order-1", ["charge", "pack"])),
        words(&|| recorder.assert_path("order-2", [Order::Charge])),
    ];
    expect![[r#"
        run "order-1" entered Pack, Ship; expected Charge
        run "order-1" undid pack; expected charge, pack
        run "order-2" entered nothing; expected Charge"#]]
    .assert_eq(&said.join("\n"));
}

/// The least crash test: the store is lost from each append on, and the run ends as it does without faults.
#[tokio::test(start_paused = true)]
async fn a_run_ends_whichever_append_the_store_is_lost_at() {
    for fault in [AppendFault::Lost, AppendFault::Unacknowledged] {
        let store = Arc::new(FailingStore::new(MemoryCheckpointStore::new()));
        let engine = Engine::new(Arc::clone(&store));
        let outcome = engine.run(&order(&[]), "order-1", Order::Charge, &()).await;
        let outcome = outcome.expect("no append fails");
        assert_eq!(store.appends(), 4);
        for nth in 1..=store.appends() {
            let store = FailingStore::new(MemoryCheckpointStore::new()).fail_from(nth, fault);
            let (store, recorder) = (Arc::new(store), Recorder::new());
            let engine = Engine::new(Arc::clone(&store)).with_observer(recorder.clone());
            let ended = engine.run(&order(&[]), "order-1", Order::Charge, &()).await;
            store.heal();
            let ended = match (ended, fault) {
                // The log shows the row, although nobody said so.
                (Ok(ended), AppendFault::Unacknowledged) => ended,
                (Err(Error::Suspended { .. }), AppendFault::Lost) => engine
                    .run_or_resume(&order(&[]), "order-1", Order::Charge, &())
                    .await
                    .expect("it ends"),
                (other, _) => panic!("{fault:?} from append {nth} on: {other:?}"),
            };
            assert_eq!(ended, outcome, "{fault:?} from append {nth} on");
            recorder.assert_path(
                "order-1",
                [Order::Charge, Order::Pack, Order::Ship, Order::Shipped],
            );
        }
    }
}

#[tokio::test]
async fn a_failing_store_fails_where_it_is_told_to_and_nowhere_else() {
    let store = FailingStore::new(MemoryCheckpointStore::new())
        .fail_at(2, AppendFault::Lost)
        .fail_at(2, AppendFault::Unacknowledged)
        .fail_at(4, AppendFault::Unacknowledged);
    let mut answers = Vec::new();
    for sequence in 0..5 {
        let appended = store
            .append("run", CheckpointRow::new(sequence, "state", "task"))
            .await;
        answers.push(match appended {
            Ok(()) => None,
            Err(Error::CheckpointStore(error)) => Some(error.kind()),
            Err(other) => panic!("{other}"),
        });
    }
    let (lost, unheard) = (StoreErrorKind::Unavailable, StoreErrorKind::UnknownOutcome);
    assert_eq!(answers, [None, Some(lost), None, Some(unheard), None]);
    let rows = store.load_run("run").await.expect("loads do not fail");
    let kept: Vec<u64> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(kept, [0, 2, 3, 4]);
    assert_eq!(store.appends(), 5);
    assert!(store.exclusive_scope().is_some() && store.as_listing().is_some());
    store.clear("run").await.expect("clears do not fail");
    assert!(
        store
            .load_run("run")
            .await
            .expect("loads do not fail")
            .is_empty()
    );
}
