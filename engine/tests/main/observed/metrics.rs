//! Counters and histograms of lives.

use std::sync::Arc;

use crashpoint::{
    Engine, LifeId, MemoryCheckpointStore, MetricsObserver, Observation, Observer, Retention,
};
use expect_test::expect;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

use crate::support::{
    Act, Fault, Faulty, Journal, Order, Scripted, order_with, stalls, when_doing,
};

/// Every series with its count; a histogram with the number of its samples, which are times.
fn series(snapshotter: &Snapshotter) -> String {
    let metrics = snapshotter.snapshot().into_vec();
    let mut lines: Vec<String> = metrics
        .into_iter()
        .map(|(key, unit, description, value)| {
            assert!(
                unit.is_some() && description.is_some(),
                "{key:?} is described"
            );
            let labels = key.key().labels();
            let labels: Vec<_> = labels
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let value = match value {
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Histogram(samples) => {
                    assert!(
                        samples
                            .iter()
                            .all(|seconds| (0.0..60.0).contains(&seconds.0))
                    );
                    format!("{} samples", samples.len())
                }
                DebugValue::Gauge(_) => unreachable!("no metric is a gauge"),
            };
            format!("{} {} {value}", key.key().name(), labels.join(" "))
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// Tells the metrics observer with its own recorder, whichever thread the life is on.
struct Recorded {
    recorder: Arc<DebuggingRecorder>,
    observer: MetricsObserver,
}

impl Recorded {
    fn new() -> (Self, Snapshotter) {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let observer = metrics::with_local_recorder(&recorder, MetricsObserver::new);
        let recorder = Arc::new(recorder);
        (Self { recorder, observer }, snapshotter)
    }
}

impl Observer for Recorded {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        metrics::with_local_recorder(&*self.recorder, || self.observer.on(life, observation));
    }
}

#[tokio::test(start_paused = true)]
async fn each_life_append_and_attempt_is_counted_by_its_names() {
    let (recorded, snapshotter) = Recorded::new();
    let tasks = Scripted::new(&Journal::default(), when_doing(&[("ship", Act::Fatal)]));
    let workflow = order_with(&tasks, |task| task);
    let engine = Engine::new(MemoryCheckpointStore::new())
        .with_observer(recorded)
        .with_retention(Retention::ClearWhenDone)
        .expect("memory is held exclusively");
    for id in ["order-1", "order-2"] {
        _ = engine.run(&workflow, id, Order::Pack, &()).await;
    }
    _ = engine.resume_from(&workflow, "order-3").await;
    expect![[r#"
        crashpoint_append_seconds workflow=order 10 samples
        crashpoint_appends_total workflow=order kind=claim 2
        crashpoint_appends_total workflow=order kind=compensated 2
        crashpoint_appends_total workflow=order kind=compensation_completion 2
        crashpoint_appends_total workflow=order kind=rollback_start 2
        crashpoint_appends_total workflow=order kind=rolled_back 2
        crashpoint_attempt_seconds workflow=order task=pack direction=do 2 samples
        crashpoint_attempt_seconds workflow=order task=pack direction=undo 2 samples
        crashpoint_attempt_seconds workflow=order task=ship direction=do 2 samples
        crashpoint_attempts_total workflow=order task=pack direction=do result=succeeded 2
        crashpoint_attempts_total workflow=order task=pack direction=undo result=succeeded 2
        crashpoint_attempts_total workflow=order task=ship direction=do result=failed 2
        crashpoint_clears_total workflow=order 2
        crashpoint_lives_total workflow=order ending=not_found 1
        crashpoint_lives_total workflow=order ending=rolled_back 2
        crashpoint_rows_loaded_total workflow=order 0"#]]
    .assert_eq(&series(&snapshotter));
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_store_are_counted_by_their_operation_and_kind() {
    let (recorded, snapshotter) = Recorded::new();
    let tasks = Scripted::new(&Journal::default(), when_doing(&[]));
    let workflow = order_with(&tasks, |task| task);
    let inner = Arc::new(MemoryCheckpointStore::new());
    let store = Faulty::new(&inner, |operation, _| {
        (operation == "append").then_some(Fault::Lost)
    });
    let engine = Engine::new(store).with_observer(recorded);
    _ = engine.run(&workflow, "order-1", Order::Pack, &()).await;
    expect![[r#"
        crashpoint_lives_total workflow=order ending=suspended 1
        crashpoint_rows_loaded_total workflow=order 0
        crashpoint_store_errors_total workflow=order operation=append error=unavailable 5"#]]
    .assert_eq(&series(&snapshotter));
}

/// What was under way is not counted, and its time is not taken for that of another life.
#[tokio::test(start_paused = true)]
async fn a_life_that_is_dropped_is_not_counted() {
    let (recorded, snapshotter) = Recorded::new();
    let order = |script: &[(&'static str, Act)]| {
        let tasks = Scripted::new(&Journal::default(), when_doing(script));
        order_with(&tasks, |task| task)
    };
    let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(recorded);
    let waits = order(&[("ship", Act::Hang)]);
    let mut run = Box::pin(engine.run(&waits, "order-1", Order::Ship, &()));
    stalls(&mut run).await;
    drop(run);
    _ = engine.resume_from(&order(&[]), "order-1").await;
    expect![[r#"
        crashpoint_append_seconds workflow=order 3 samples
        crashpoint_appends_total workflow=order kind=claim 2
        crashpoint_appends_total workflow=order kind=state_entry 1
        crashpoint_attempt_seconds workflow=order task=ship direction=do 1 samples
        crashpoint_attempts_total workflow=order task=ship direction=do result=succeeded 1
        crashpoint_lives_total workflow=order ending=done 1
        crashpoint_rows_loaded_total workflow=order 1"#]]
    .assert_eq(&series(&snapshotter));
}
