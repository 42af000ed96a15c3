//! Operations in the order of their first polls, whatever becomes of their futures.

use std::sync::atomic::{AtomicUsize, Ordering};

use crashpoint::{
    CheckpointStore as _, RedbCheckpointStore, Runtime as _, StoreErrorKind, TokioRuntime,
};
use futures_util::poll;

use super::disk::MemoryDisk;
use super::stopped::{Stopped, stopped};
use super::{Blocking, append, ended, kind_of, load, open, row};

#[tokio::test]
async fn what_was_never_polled_has_no_effect() {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    drop(store.append("order-1", row(0)));
    assert_eq!(load(&store, "order-1").expect("it is empty"), []);
    append(&store, "order-1", row(0)).expect("it is free");
    drop(store.clear("order-1"));
    assert_eq!(load(&store, "order-1").expect("it is whole"), [row(0)]);
}

#[tokio::test]
async fn a_dropped_append_that_is_under_way_is_finished_before_a_later_load() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    drop(under_way);
    let mut loaded = store.load_run("order-1");
    assert!(poll!(&mut loaded).is_pending(), "its turn comes later");
    leave.send(()).expect("it waits");
    assert_eq!(loaded.await.expect("it is whole"), [row(0)]);
}

#[tokio::test]
async fn a_dropped_append_does_not_land_after_a_later_clear() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    drop(under_way);
    let mut cleared = store.clear("order-1");
    assert!(poll!(&mut cleared).is_pending(), "its turn comes later");
    leave.send(()).expect("it waits");
    cleared.await.expect("memory takes it");
    assert_eq!(store.load_run("order-1").await.expect("it is empty"), []);
    store
        .append("order-1", row(0))
        .await
        .expect("the sequence is free");
}

/// What nobody waits for would pile up in memory behind a disk that hangs.
#[tokio::test]
async fn a_dropped_append_that_has_not_begun_is_given_up() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let mut kept = store.append("order-1", row(500));
    assert!(poll!(&mut kept).is_pending());
    for sequence in 1..400 {
        let mut dropped = store.append("order-1", row(sequence));
        assert!(poll!(&mut dropped).is_pending());
    }
    let mut last = store.append("order-1", row(501));
    assert!(poll!(&mut last).is_pending());
    leave.send(()).expect("it waits");
    under_way.await.expect("it is free");
    last.await.expect("it is free");
    let rows = store.load_run("order-1").await.expect("it is whole");
    assert_eq!(rows, [row(0), row(500), row(501)]);
    kept.await.expect("it was performed in its turn");
}

/// The first caller's future drives nothing: the others are served when it is gone.
#[tokio::test]
async fn those_who_wait_are_served_when_the_first_is_dropped() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let mut others: Vec<_> = (1..50)
        .map(|sequence| store.append("order-1", row(sequence)))
        .collect();
    for other in &mut others {
        assert!(poll!(other).is_pending());
    }
    drop(under_way);
    leave.send(()).expect("it waits");
    for other in others {
        other.await.expect("it is free");
    }
    assert_eq!(
        store.load_run("order-1").await.expect("it is whole").len(),
        50
    );
}

#[tokio::test]
async fn one_sequence_is_taken_once_however_many_ask_at_once() {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, TokioRuntime::new()).expect("an empty place");
    let appends = (0..64).map(|_| store.append("order-1", row(0)));
    let answers = futures_util::future::join_all(appends).await;
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, 1);
    for error in answers.into_iter().filter_map(Result::err) {
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Conflict), "{error}");
    }
}

/// A runtime that has ended drops the blocking work that it is given.
#[tokio::test]
async fn operations_of_a_runtime_that_has_ended_are_answered() {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, ended()).expect("an empty place");
    for _ in 0..2 {
        let appends = (0..3).map(|sequence| store.append("order-1", row(sequence)));
        for answer in futures_util::future::join_all(appends).await {
            let error = answer.expect_err("nobody performs it");
            assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
            let expected = "checkpoint store: the runtime ended before the operation began";
            assert_eq!(error.to_string(), expected);
        }
    }
    drop(store);
    let store = open(&disk).expect("it is closed");
    assert_eq!(load(&store, "order-1").expect("nothing was written"), []);
}

/// The first caller's runtime ends before it has performed anything; the others have theirs.
#[tokio::test]
async fn those_who_wait_go_on_when_the_runtime_of_the_first_has_ended() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let disk = MemoryDisk::default();
    let first_ends = Blocking::new(|work| {
        Box::pin(async {
            tokio::task::yield_now().await;
            match ASKED.fetch_add(1, Ordering::SeqCst) {
                0 => drop(work),
                _ => work(),
            }
        })
    });
    let store = RedbCheckpointStore::on_disk(&disk, first_ends).expect("an empty place");
    let appends = (0..5).map(|sequence| store.append("order-1", row(sequence)));
    let answers = futures_util::future::join_all(appends).await;
    let performed: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(performed, [false, true, true, true, true]);
    let rows = store.load_run("order-1").await.expect("it is whole");
    assert_eq!(rows, [row(1), row(2), row(3), row(4)]);
}

/// Of one thread nobody could come meanwhile.
#[test]
fn a_committer_ends_with_its_work_where_nobody_runs_beside_it() {
    static COMMITTERS: AtomicUsize = AtomicUsize::new(0);
    let counted = Blocking::new(|work| {
        COMMITTERS.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { work() })
    });
    assert!(!counted.blocks_beside());
    assert!(TokioRuntime::new().blocks_beside());
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, counted).expect("an empty place");
    for sequence in 0..10 {
        append(&store, "order-1", row(sequence)).expect("it is free");
    }
    assert_eq!(COMMITTERS.load(Ordering::Relaxed), 10);
}
