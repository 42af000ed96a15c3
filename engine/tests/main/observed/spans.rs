//! Spans of runs, lives, visits and attempts, and the events of the observer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CheckpointStore as _, Engine, MemoryCheckpointStore, Recovery, RetryPolicy, TracingObserver,
};
use expect_test::{Expect, expect};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{Act, Journal, Order, Scripted, order_with, stalls, when_doing};

/// Notes each span when it opens, indented by its parents, and each event.
struct Tree(Journal);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Tree {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let (depth, mut fields) = (depth_of(context.span_scope(id)), Fields::default());
        attributes.record(&mut fields);
        let metadata = attributes.metadata();
        self.note(depth - 1, metadata.level(), metadata.name(), &fields);
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let depth = depth_of(context.event_scope(event));
        self.note(depth, event.metadata().level(), "-", &fields);
    }
}

impl Tree {
    fn note(&self, depth: usize, level: &Level, name: &str, fields: &Fields) {
        let indent = "  ".repeat(depth);
        self.0.note(format!("{indent}{level} {name}{}", fields.0));
    }
}

fn depth_of<T: Iterator>(scope: Option<T>) -> usize {
    scope.map_or(0, Iterator::count)
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = format!("{value:?}");
        // A nonce is drawn.
        if field.name() == "life" {
            assert_eq!(text.len(), 32, "{text}");
            text = "..".to_owned();
        }
        self.0.push_str(&match field.name() {
            "message" => format!(" {text}"),
            name => format!(" {name}={text}"),
        });
    }
}

/// Runs an order, whose tasks do what `script` says, and resumes it if it stalls.
async fn check_tree(script: &[(&'static str, Act)], level: LevelFilter, expected: &Expect) {
    let journal = Journal::default();
    let subscriber = tracing_subscriber::registry().with(Tree(journal.clone()).with_filter(level));
    let _default = subscriber.set_default();
    let store = Arc::new(MemoryCheckpointStore::new());
    let engine = Engine::new(Arc::clone(&store));
    let says = |script: &[(&'static str, Act)]| {
        let act = when_doing(script);
        let tasks = Scripted::new(&Journal::default(), move |ctx| {
            tracing::info!("at work");
            act(ctx)
        });
        order_with(&tasks, |task| {
            task.retry(RetryPolicy::fixed(2, Duration::from_millis(1)))
        })
    };
    let mut run = Box::pin(engine.run(&says(script), "order-1", Order::Pack, &()));
    if script.iter().any(|(_, act)| *act == Act::Hang) {
        stalls(&mut run).await;
        drop(run);
        journal.note("-- resumed --");
        let recovery = Recovery::new(&engine).workflow(&says(&[]));
        recovery.resume_all().await.expect("memory lists");
    } else {
        _ = run.await;
    }
    assert!(
        !store
            .load_run("order-1")
            .await
            .expect("it loads")
            .is_empty()
    );
    expected.assert_eq(&journal.take().join("\n"));
}

#[tokio::test(start_paused = true)]
async fn what_a_task_logs_is_in_the_span_of_its_attempt() {
    check_tree(
        &[],
        LevelFilter::DEBUG,
        &expect![[r#"
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            DEBUG visit task="pack" direction=Do visit=0
              DEBUG attempt attempt=1 cursors=0
                INFO - at work
            DEBUG visit task="ship" direction=Do visit=1
              DEBUG attempt attempt=1 cursors=0
                INFO - at work"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn attempts_of_one_visit_share_its_span_and_undos_have_their_own() {
    check_tree(
        &[("ship", Act::Retry)],
        LevelFilter::DEBUG,
        &expect![[r#"
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            DEBUG visit task="pack" direction=Do visit=0
              DEBUG attempt attempt=1 cursors=0
                INFO - at work
            DEBUG visit task="ship" direction=Do visit=1
              DEBUG attempt attempt=1 cursors=0
                INFO - at work
              DEBUG attempt attempt=2 cursors=0
                INFO - at work
            DEBUG visit task="pack" direction=Undo visit=0
              DEBUG attempt attempt=1 cursors=0
                INFO - at work"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_resumed_has_spans_of_a_second_call() {
    check_tree(
        &[("ship", Act::Hang)],
        LevelFilter::DEBUG,
        &expect![[r#"
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            DEBUG visit task="pack" direction=Do visit=0
              DEBUG attempt attempt=1 cursors=0
                INFO - at work
            DEBUG visit task="ship" direction=Do visit=1
              DEBUG attempt attempt=1 cursors=0
                INFO - at work
        -- resumed --
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            DEBUG visit task="ship" direction=Do visit=1
              DEBUG attempt attempt=1 cursors=0
                INFO - at work"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_the_spans_of_visits_a_task_logs_in_its_life() {
    check_tree(
        &[],
        LevelFilter::INFO,
        &expect![[r#"
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            INFO - at work
            INFO - at work"#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_observer_turns_observations_into_events() {
    let journal = Journal::default();
    let _default = tracing_subscriber::registry()
        .with(Tree(journal.clone()))
        .set_default();
    let tasks = Scripted::new(&Journal::default(), when_doing(&[("ship", Act::Fatal)]));
    let workflow = order_with(&tasks, |task| task);
    let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(TracingObserver);
    _ = engine.run(&workflow, "order-1", Order::Pack, &()).await;
    expect![[r#"
        INFO run workflow_id="order-1" workflow="order"
          INFO life life=..
            DEBUG - appending workflow_id="order-1" workflow="order" life=.. sequence=0 kind=claim
            DEBUG - appended workflow_id="order-1" workflow="order" life=.. sequence=0 kind=claim
            DEBUG - row applied workflow_id="order-1" workflow="order" life=.. sequence=0
            DEBUG - attempt started workflow_id="order-1" workflow="order" life=.. task="pack" direction=Do visit=0 cursors=0 round=0 attempt=1
            DEBUG visit task="pack" direction=Do visit=0
              DEBUG attempt attempt=1 cursors=0
            DEBUG - attempt succeeded workflow_id="order-1" workflow="order" life=.. task="pack" direction=Do
            DEBUG - appending workflow_id="order-1" workflow="order" life=.. sequence=1 kind=compensation_completion
            DEBUG - appended workflow_id="order-1" workflow="order" life=.. sequence=1 kind=compensation_completion
            DEBUG - row applied workflow_id="order-1" workflow="order" life=.. sequence=1
            DEBUG - attempt started workflow_id="order-1" workflow="order" life=.. task="ship" direction=Do visit=1 cursors=0 round=0 attempt=1
            DEBUG visit task="ship" direction=Do visit=1
              DEBUG attempt attempt=1 cursors=0
            WARN - attempt failed workflow_id="order-1" workflow="order" life=.. task="ship" direction=Do failure="refused"
            DEBUG - appending workflow_id="order-1" workflow="order" life=.. sequence=2 kind=rollback_start
            DEBUG - appended workflow_id="order-1" workflow="order" life=.. sequence=2 kind=rollback_start
            DEBUG - row applied workflow_id="order-1" workflow="order" life=.. sequence=2
            DEBUG - attempt started workflow_id="order-1" workflow="order" life=.. task="pack" direction=Undo visit=0 cursors=0 round=0 attempt=1
            DEBUG visit task="pack" direction=Undo visit=0
              DEBUG attempt attempt=1 cursors=0
            DEBUG - attempt succeeded workflow_id="order-1" workflow="order" life=.. task="pack" direction=Undo
            DEBUG - appending workflow_id="order-1" workflow="order" life=.. sequence=3 kind=compensated
            DEBUG - appended workflow_id="order-1" workflow="order" life=.. sequence=3 kind=compensated
            DEBUG - row applied workflow_id="order-1" workflow="order" life=.. sequence=3
            DEBUG - appending workflow_id="order-1" workflow="order" life=.. sequence=4 kind=rolled_back
            DEBUG - appended workflow_id="order-1" workflow="order" life=.. sequence=4 kind=rolled_back
            DEBUG - row applied workflow_id="order-1" workflow="order" life=.. sequence=4
            INFO - run ended workflow_id="order-1" workflow="order" life=.. ended=RolledBack { state: "Ship", task: "ship", cause: Cause { kind: Failure, message: "refused" } }"#]].assert_eq(&journal.take().join("\n"));
}
