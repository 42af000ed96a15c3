//! A store, the runtimes that it is used from, and the end of both.

use std::sync::Arc;

use crashpoint::{CheckpointStore as _, Engine, Outcome, RedbCheckpointStore};
use futures_util::FutureExt as _;
use tokio::runtime::{Builder, Runtime};

use super::row;
use crate::support::{Journal, Order, order, when_doing};

fn single() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn several() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

#[test]
fn a_store_outlives_the_runtime_that_used_it_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RedbCheckpointStore::new(folder.path().join("store")).expect("a fresh file");
    for (sequence, runtime) in [single(), several(), single()].into_iter().enumerate() {
        let rows = runtime.block_on(async {
            store
                .append("order-1", row(sequence as u64))
                .await
                .expect("it is free");
            store.load_run("order-1").await.expect("it is whole")
        });
        assert_eq!(rows.len(), sequence + 1);
        drop(runtime);
    }
}

#[test]
fn a_store_is_created_and_dropped_outside_of_any_runtime() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = RedbCheckpointStore::new(&path).expect("a fresh file");
    single()
        .block_on(store.append("order-1", row(0)))
        .expect("it is free");
    drop(store);
    let store = RedbCheckpointStore::new(&path).expect("it is closed");
    let rows = single().block_on(store.load_run("order-1"));
    assert_eq!(rows.expect("it is whole"), [row(0)]);
}

#[test]
fn two_runtimes_share_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RedbCheckpointStore::new(folder.path().join("store")).expect("a fresh file");
    let store = Arc::new(store);
    std::thread::scope(|scope| {
        for (id, runtime) in [("order-1", single()), ("order-2", several())] {
            let store = Arc::clone(&store);
            scope.spawn(move || {
                runtime.block_on(async {
                    for sequence in 0..50 {
                        store.append(id, row(sequence)).await.expect("it is free");
                    }
                });
            });
        }
    });
    single().block_on(async {
        for id in ["order-1", "order-2"] {
            let rows = store.load_run(id).await.expect("it is whole");
            assert_eq!(rows, (0..50).map(row).collect::<Vec<_>>());
        }
    });
}

/// Futures that were begun and dropped hold nothing up, and nothing of theirs comes later.
#[test]
fn a_store_with_dropped_futures_closes_and_opens_again_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    for runtime in [single(), several()] {
        runtime.block_on(async {
            for round in 0..20 {
                let store = RedbCheckpointStore::new(&path).expect("it is closed");
                let begun = [0, 1, 2].map(|sequence| {
                    let mut append = store.append("order-1", row(round * 3 + sequence));
                    assert!(
                        append
                            .as_mut()
                            .now_or_never()
                            .is_none_or(|done| done.is_ok())
                    );
                    append
                });
                drop(begun);
                drop(store);
                let store = RedbCheckpointStore::new(&path).expect("it is closed");
                let settled = store.load_run("order-1").await.expect("it is whole");
                for row_there in &settled {
                    assert_eq!(*row_there, row(row_there.sequence), "whole or absent");
                }
                drop(store);
                let store = RedbCheckpointStore::new(&path).expect("it is closed");
                assert_eq!(
                    store.load_run("order-1").await.expect("it is whole"),
                    settled
                );
                store.clear("order-1").await.expect("it is whole");
            }
        });
    }
}

/// Runtimes that end while an operation is under way: nobody hangs, and the next one goes on.
#[test]
fn a_runtime_that_ends_with_operations_under_way_leaves_a_usable_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RedbCheckpointStore::new(folder.path().join("store")).expect("a fresh file");
    let store = Arc::new(store);
    for round in 0..10 {
        let runtime = several();
        for number in 0..8 {
            let store = Arc::clone(&store);
            runtime.spawn(async move {
                let id = format!("order-{number}");
                store.append(&id, row(round)).await
            });
        }
        runtime.shutdown_background();
        let next = single();
        let last = next.block_on(store.append("last", row(round)));
        last.expect("the store is usable");
    }
    let rows = single()
        .block_on(store.load_run("last"))
        .expect("it is whole");
    assert_eq!(rows.len(), 10);
}

#[test]
fn an_engine_runs_on_it_whatever_the_runtime() {
    for runtime in [single(), several()] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = RedbCheckpointStore::new(folder.path().join("store")).expect("a fresh file");
        let engine = Engine::new(store);
        let workflow = order(&Journal::default(), when_doing(&[]));
        let outcome = runtime.block_on(engine.run(&workflow, "order-1", Order::Charge, &()));
        assert_eq!(outcome.expect("it ran"), Outcome::Done(Order::Shipped));
    }
}
