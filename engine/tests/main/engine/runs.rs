//! Beginning a run, resuming it, asking how it stands.

use std::sync::Arc;

use crashpoint::{
    CheckpointStore, Ctx, Engine, Error, Outcome, State, StatusPhase, TaskError, Workflow,
};
use expect_test::expect;

use crate::support::{Act, Journal, Order, in_memory, order, rows_in_words, stalls, when_doing};

#[tokio::test(start_paused = true)]
async fn a_run_goes_from_its_first_state_to_an_exit() {
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let (engine, store) = in_memory();
    let outcome = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert_eq!(outcome.expect("it runs"), Outcome::Done(Order::Shipped));
    assert_eq!(journal.take(), ["do charge", "do pack", "do ship"]);
    expect![[r#"
        0 claim "Charge" ""
        1 compensation_completion "Pack" "charge"
        2 compensation_completion "Ship" "pack"
        3 state_entry "Shipped" "ship"
    "#]]
    .assert_eq(&rows_in_words(&store, "order-1").await);
}

#[tokio::test(start_paused = true)]
async fn an_ended_run_gives_the_same_answer_and_appends_nothing() {
    let journal = Journal::default();
    for script in [when_doing(&[]), when_doing(&[("ship", Act::Fatal)])] {
        let workflow = order(&journal, script);
        let (engine, store) = in_memory();
        let run = engine.run(&workflow, "order-1", Order::Charge, &()).await;
        let run = run.expect("it ends");
        let log = rows_in_words(&store, "order-1").await;
        journal.take();
        for _ in 0..3 {
            let resumed = engine.resume_from(&workflow, "order-1").await;
            assert_eq!(resumed.expect("it has ended"), run);
        }
        assert_eq!(rows_in_words(&store, "order-1").await, log);
        assert_eq!(journal.take(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_is_run_once() {
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let (engine, _) = in_memory();
    let first = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    assert!(first.is_ok());
    journal.take();
    let second = engine.run(&workflow, "order-1", Order::Charge, &()).await;
    let error = second.expect_err("the id is taken");
    assert_eq!(error.to_string(), "run \"order-1\" already exists");
    assert_eq!(error.category(), "already_exists");
    assert_eq!(journal.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_is_not_found_and_not_begun() {
    let workflow = order(&Journal::default(), when_doing(&[]));
    let (engine, store) = in_memory();
    let errors = [
        engine
            .resume_from(&workflow, "order-1")
            .await
            .expect_err("no log"),
        engine
            .retry_stuck(&workflow, "order-1")
            .await
            .expect_err("no log"),
        engine.status("order-1").await.expect_err("no log"),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "run \"order-1\" is not in the store");
    }
    assert_eq!(rows_in_words(&store, "order-1").await, "");
}

#[tokio::test(start_paused = true)]
async fn run_or_resume_begins_goes_on_and_repeats_the_answer() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let hanging = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let mut first = Box::pin(engine.run_or_resume(&hanging, "order-1", Order::Charge, &1));
    stalls(&mut first).await;
    drop(first);
    let workflow = order(&journal, when_doing(&[]));
    for _ in 0..2 {
        let outcome = engine
            .run_or_resume(&workflow, "order-1", Order::Ship, &2)
            .await;
        assert_eq!(outcome.expect("it ends"), Outcome::Done(Order::Shipped));
    }
    assert_eq!(
        journal.take(),
        ["do charge", "do pack", "do pack", "do ship"],
        "start and input of the first call stand"
    );
    let rows = store.load_run("order-1").await.expect("memory loads");
    assert_eq!(rows.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_future_does_nothing_until_it_is_polled() {
    fn sendable<F: Future + Send + 'static>(future: F) -> F {
        future
    }
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let (engine, store) = in_memory();
    {
        let engine = engine.clone();
        let id = String::from("order-1");
        drop(sendable(engine.run(
            &workflow,
            &id,
            Order::Charge,
            &String::new(),
        )));
        drop(sendable(engine.run_or_resume(
            &workflow,
            &id,
            Order::Charge,
            "",
        )));
        drop(sendable(engine.resume_from(&workflow, &id)));
        drop(sendable(engine.retry_stuck(&workflow, &id)));
    }
    assert_eq!(rows_in_words(&store, "order-1").await, "");
    assert_eq!(journal.take(), [""; 0]);

    let run = engine.run(&workflow, "order-2", Order::Charge, &());
    drop((engine, workflow));
    let spawned = tokio::spawn(run).await.expect("the task ends");
    assert_eq!(spawned.expect("it runs"), Outcome::Done(Order::Shipped));
}

/// At whichever task the life is dropped, the next one goes on with just that task.
#[tokio::test(start_paused = true)]
async fn a_dropped_run_is_resumed_where_it_stopped() {
    for (stop, expected) in [
        (
            "charge",
            &["do charge", "do charge", "do pack", "do ship"][..],
        ),
        ("pack", &["do charge", "do pack", "do pack", "do ship"]),
        ("ship", &["do charge", "do pack", "do ship", "do ship"]),
    ] {
        let journal = Journal::default();
        let (engine, _) = in_memory();
        let workflow = order(&journal, when_doing(&[(stop, Act::Hang)]));
        let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
        stalls(&mut run).await;
        drop(run);
        let workflow = order(&journal, when_doing(&[]));
        let resumed = engine.resume_from(&workflow, "order-1").await;
        assert_eq!(resumed.expect("it ends"), Outcome::Done(Order::Shipped));
        assert_eq!(journal.take(), expected, "dropped in {stop}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_how_a_run_stands_without_claiming_it() {
    let journal = Journal::default();
    let (engine, store) = in_memory();
    let workflow = order(&journal, when_doing(&[("pack", Act::Hang)]));
    let mut run = Box::pin(engine.run(&workflow, "order-1", Order::Charge, &()));
    stalls(&mut run).await;
    let status = engine.status("order-1").await.expect("the run is there");
    assert_eq!(
        status.phase,
        StatusPhase::Running {
            state: "Pack".to_owned()
        }
    );
    assert_eq!((&*status.workflow, status.version), ("order", 1));
    assert_eq!((status.rows, status.lives), (2, 1));
    assert_eq!(store.load_run("order-1").await.expect("it loads").len(), 2);
    drop(run);

    let workflow = order(&journal, when_doing(&[]));
    engine
        .resume_from(&workflow, "order-1")
        .await
        .expect("it ends");
    let status = engine.status("order-1").await.expect("the run is there");
    let state = "Shipped".to_owned();
    assert_eq!(status.phase, StatusPhase::Done { state });
    assert_eq!((status.rows, status.lives), (5, 2));
    assert!(status.started_unix_ms > 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_carries_its_input_and_its_outputs() {
    async fn ship(ctx: Ctx) -> Result<Order, TaskError> {
        let items: Vec<String> = ctx.input()?;
        let charged: String = ctx.output("charge")?;
        assert_eq!((items, &*charged), (vec!["tea".to_owned()], "charge@0"));
        let wrong: Result<u8, _> = ctx.input();
        let message = wrong.expect_err("the input is no number");
        assert!(matches!(message, TaskError::Fatal(_)));
        let missing: Result<String, _> = ctx.output("refund");
        let TaskError::Fatal(missing) = missing.expect_err("nothing was refunded") else {
            panic!("no other attempt helps");
        };
        let expected = "no task \"refund\" has left an output";
        assert_eq!(missing.to_string(), expected);
        Ok(Order::Shipped)
    }

    let tasks = crate::support::Scripted::new(&Journal::default(), when_doing(&[]));
    let workflow = Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", tasks.clone())
        .compensatable(Order::Pack, "pack", tasks)
        .task(Order::Ship, "ship", ship)
        .exit(Order::Shipped)
        .build()
        .expect("it is valid");
    let (engine, _) = in_memory();
    let outcome = engine
        .run(&workflow, "order-1", Order::Charge, &["tea"])
        .await;
    assert_eq!(outcome.expect("it runs"), Outcome::Done(Order::Shipped));
}

#[tokio::test(start_paused = true)]
async fn a_task_knows_what_it_is() {
    async fn ship(ctx: Ctx) -> Result<Order, TaskError> {
        let known = (ctx.workflow_id(), ctx.state(), ctx.task(), ctx.attempt());
        assert_eq!(known, ("order-1", Order::Ship.label(), "ship", 1));
        assert_eq!((ctx.visit(), ctx.step(), ctx.fencing_token()), (0, 0, 0));
        assert!(!ctx.is_fenced() && !ctx.is_cancelled());
        assert!(format!("{ctx:?}").contains("order-1"));
        Ok(Order::Shipped)
    }

    let tasks = crate::support::Scripted::new(&Journal::default(), when_doing(&[]));
    let workflow = Workflow::builder("order", 1)
        .task(Order::Ship, "ship", ship)
        .compensatable(Order::Charge, "charge", tasks.clone())
        .compensatable(Order::Pack, "pack", tasks)
        .exit(Order::Shipped)
        .build()
        .expect("it is valid");
    let outcome = in_memory()
        .0
        .run(&workflow, "order-1", Order::Ship, &())
        .await;
    assert_eq!(outcome.expect("it runs"), Outcome::Done(Order::Shipped));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_can_not_begin_writes_nothing() {
    struct Unserializable;

    impl serde::Serialize for Unserializable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("a secret"))
        }
    }

    let journal = Journal::default();
    let (engine, store) = in_memory();
    let workflow = order(&journal, when_doing(&[]));
    let at_exit = engine.run(&workflow, "order-1", Order::Shipped, &()).await;
    assert_eq!(
        at_exit.expect_err("an exit is no start").to_string(),
        "run \"order-1\" can't start at state \"Shipped\": it is an exit"
    );
    let unserializable = engine
        .run(&workflow, "order-1", Order::Charge, &Unserializable)
        .await;
    assert_eq!(
        unserializable.expect_err("it has no bytes").to_string(),
        "input of run \"order-1\" can't be serialized: a secret"
    );
    let tasks = crate::support::Scripted::new(&journal, when_doing(&[]));
    let narrow = crate::support::order_with(&tasks, |builder| builder.starts([Order::Charge]));
    let elsewhere = engine.run(&narrow, "order-1", Order::Pack, &()).await;
    let error = elsewhere.expect_err("it is no start");
    assert!(matches!(error, Error::InvalidStart { .. }));
    assert_eq!(
        error.to_string(),
        "run \"order-1\" can't start at state \"Pack\": it is not among the starts of the workflow"
    );
    assert_eq!(rows_in_words(&store, "order-1").await, "");
    assert_eq!(journal.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_store_do_not_meet() {
    let journal = Journal::default();
    let workflow = order(&journal, when_doing(&[]));
    let (engine, store) = in_memory();
    let other = Engine::new(Arc::clone(&store));
    let (left, right) = tokio::join!(
        engine.run(&workflow, "a", Order::Charge, &()),
        other.run(&workflow, "b", Order::Ship, &()),
    );
    assert_eq!(left.expect("it runs"), Outcome::Done(Order::Shipped));
    assert_eq!(right.expect("it runs"), Outcome::Done(Order::Shipped));
    assert_eq!(rows_in_words(&store, "b").await.lines().count(), 2);
}
