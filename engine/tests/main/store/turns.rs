//! Operations in the order of their first polls, whatever becomes of their futures.

use std::sync::mpsc;
use std::time::Duration;

use crashpoint_engine::{
    CheckpointStore as _, RedbCheckpointStore, Runtime, StoreErrorKind, TaskHandle, TokioRuntime,
};
use futures_util::future::BoxFuture;
use futures_util::poll;
use tokio::sync::oneshot;

use super::disk::{Fate, MemoryDisk};
use super::{append, kind_of, load, open, row};

/// A store on tokio whose next commit stops before its first sync: it says so, and waits for leave
/// to go on.
struct Stopped {
    store: RedbCheckpointStore,
    reached: oneshot::Receiver<()>,
    leave: mpsc::Sender<()>,
}

fn stopped() -> Stopped {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, TokioRuntime::new()).expect("an empty place");
    let (tell, reached) = oneshot::channel();
    let (leave, wait) = mpsc::channel();
    let mut tell = Some(tell);
    disk.plan(move |operation| {
        if let ("sync", Some(tell)) = (operation, tell.take_if(|_| operation == "sync")) {
            tell.send(()).expect("the test listens");
            wait.recv().expect("the test gives leave");
        }
        Fate::Happens
    });
    Stopped {
        store,
        reached,
        leave,
    }
}

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
        reached,
        leave,
    } = stopped();
    let mut dropped = store.append("order-1", row(0));
    assert!(poll!(&mut dropped).is_pending());
    reached.await.expect("it is under way");
    drop(dropped);
    let mut loaded = store.load_run("order-1");
    assert!(poll!(&mut loaded).is_pending(), "its turn comes later");
    leave.send(()).expect("it waits");
    assert_eq!(loaded.await.expect("it is whole"), [row(0)]);
}

#[tokio::test]
async fn a_dropped_append_does_not_land_after_a_later_clear() {
    let Stopped {
        store,
        reached,
        leave,
    } = stopped();
    let mut dropped = store.append("order-1", row(0));
    assert!(poll!(&mut dropped).is_pending());
    reached.await.expect("it is under way");
    drop(dropped);
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
        reached,
        leave,
    } = stopped();
    let mut first = store.append("order-1", row(0));
    assert!(poll!(&mut first).is_pending());
    reached.await.expect("it is under way");
    let mut kept = store.append("order-1", row(500));
    assert!(poll!(&mut kept).is_pending());
    for sequence in 1..400 {
        let mut dropped = store.append("order-1", row(sequence));
        assert!(poll!(&mut dropped).is_pending());
    }
    let mut last = store.append("order-1", row(501));
    assert!(poll!(&mut last).is_pending());
    leave.send(()).expect("it waits");
    first.await.expect("it is free");
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
        reached,
        leave,
    } = stopped();
    let mut first = store.append("order-1", row(0));
    assert!(poll!(&mut first).is_pending());
    reached.await.expect("it is under way");
    let mut others: Vec<_> = (1..50)
        .map(|sequence| store.append("order-1", row(sequence)))
        .collect();
    for other in &mut others {
        assert!(poll!(other).is_pending());
    }
    drop(first);
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

/// A runtime that has ended: it drops the blocking work that it is given.
struct Ended(TokioRuntime);

impl Runtime for Ended {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn unix_ms(&self) -> u64 {
        self.0.unix_ms()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }

    fn spawn(&self, future: BoxFuture<'static, ()>) -> TaskHandle {
        self.0.spawn(future)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // Others come while it is not clear yet.
            tokio::task::yield_now().await;
            drop(work);
        })
    }

    fn entropy(&self) -> [u8; 16] {
        self.0.entropy()
    }
}

#[tokio::test]
async fn operations_of_a_runtime_that_has_ended_are_answered() {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, Ended(TokioRuntime::new()));
    let store = store.expect("an empty place");
    for _ in 0..2 {
        let appends = (0..3).map(|sequence| store.append("order-1", row(sequence)));
        for answer in futures_util::future::join_all(appends).await {
            let error = answer.expect_err("nobody performs it");
            assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
            let expected = "checkpoint store: the store was closed, or its runtime ended, \
                            before the operation began";
            assert_eq!(error.to_string(), expected);
        }
    }
    drop(store);
    let store = open(&disk).expect("it is closed");
    assert_eq!(load(&store, "order-1").expect("nothing was written"), []);
}
