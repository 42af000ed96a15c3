//! The queue is bounded by bytes: what does not fit waits in line, in order, and holds nobody up.

use crashpoint::{CheckpointRow, CheckpointStore as _, Error, RedbCheckpointStore, StoreErrorKind};
use futures_util::future::{BoxFuture, join_all};
use futures_util::poll;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::disk::MemoryDisk;
use super::stopped::{Stopped, stopped};
use super::{ended, kind_of, open, row};

/// The most that is queued, but for a row that is longer.
const BOUND: usize = 8 << 20;

type Append<'a> = BoxFuture<'a, Result<(), Error>>;

/// An append of so many bytes that waits.
async fn begun(store: &RedbCheckpointStore, sequence: u64, bytes: usize) -> Append<'_> {
    let row = row(sequence).with_output(vec![7; bytes]);
    let mut append = store.append("order-1", row);
    assert!(poll!(&mut append).is_pending());
    append
}

/// Appends of 64 KiB that wait, from sequence 1.
async fn many(store: &RedbCheckpointStore, count: u64) -> Vec<Append<'_>> {
    let mut appends = Vec::new();
    for sequence in 1..=count {
        appends.push(begun(store, sequence, 64 << 10).await);
    }
    appends
}

fn sequences(rows: &[CheckpointRow]) -> Vec<u64> {
    rows.iter().map(|row| row.sequence).collect()
}

#[tokio::test]
async fn a_thousand_writers_behind_a_slow_disk_queue_no_more_than_the_bound() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let mut appends = FuturesUnordered::new();
    let mut most = 0;
    for sequence in 1..=1000 {
        appends.push(begun(&store, sequence, 64 << 10).await);
        let queued = store.queued_bytes();
        assert!(queued <= BOUND, "{queued} with {sequence} writers");
        most = most.max(queued);
    }
    assert!(most > BOUND - (128 << 10), "the bound was reached: {most}");
    leave.send(()).expect("it waits");
    under_way.await.expect("it is free");
    while let Some(answer) = appends.next().await {
        answer.expect("it is free");
        let queued = store.queued_bytes();
        assert!(queued <= BOUND, "{queued} while batches go");
    }
    assert_eq!(store.queued_bytes(), 0, "every place was freed");
    let rows = store.load_run("order-1").await.expect("it is whole");
    assert_eq!(sequences(&rows), (0..=1000).collect::<Vec<_>>());
}

/// In line too: nothing overtakes, a row that fits does not go before one that does not.
#[tokio::test]
async fn a_row_that_is_longer_than_the_queue_goes_alone_and_in_its_turn() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let mut appends = many(&store, 2).await;
    let queued = store.queued_bytes();
    appends.push(begun(&store, 3, BOUND + 1).await);
    appends.push(begun(&store, 4, 0).await);
    assert_eq!(store.queued_bytes(), queued, "both stand in line");
    let mut loaded = store.load_run("order-1");
    assert!(poll!(&mut loaded).is_pending());
    leave.send(()).expect("it waits");
    under_way.await.expect("it is free");
    for answer in join_all(appends).await {
        answer.expect("it is free");
    }
    let rows = loaded.await.expect("it is whole");
    assert_eq!(sequences(&rows), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_future_that_is_dropped_frees_its_place_for_those_in_line() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let queued = many(&store, 100).await;
    let full = store.queued_bytes();
    let long = begun(&store, 101, 7 << 20).await;
    let last = begun(&store, 102, 1 << 20).await;
    assert_eq!(store.queued_bytes(), full, "both stand in line");
    // Out of the line: the next of it fits.
    drop(long);
    assert!(store.queued_bytes() > full + (1 << 20), "it is let in");
    drop(queued);
    assert!(store.queued_bytes() < 2 << 20, "and has the queue alone");
    leave.send(()).expect("it waits");
    under_way.await.expect("it is free");
    last.await.expect("it is free");
    let rows = store.load_run("order-1").await.expect("it is whole");
    assert_eq!(sequences(&rows), [0, 102]);
}

/// A caller may wait for something else of the store while it holds an append that is not polled.
#[tokio::test]
async fn those_in_line_are_let_in_without_being_polled() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let held = many(&store, 300).await;
    let mut loaded = store.load_run("order-1");
    assert!(poll!(&mut loaded).is_pending());
    leave.send(()).expect("it waits");
    let rows = loaded.await.expect("it is whole");
    assert_eq!(sequences(&rows), (0..=300).collect::<Vec<_>>());
    drop((under_way, held));
}

/// What is dropped in line never lands, however full it was.
#[tokio::test]
async fn a_clear_comes_after_the_appends_in_line_before_it() {
    let Stopped {
        store,
        under_way,
        leave,
        ..
    } = stopped().await;
    let mut appends = many(&store, 200).await;
    drop(appends.split_off(180));
    let mut cleared = store.clear("order-1");
    assert!(poll!(&mut cleared).is_pending());
    let next = begun(&store, 1, 0).await;
    leave.send(()).expect("it waits");
    next.await.expect("its sequence is free again");
    cleared.await.expect("it is whole");
    let rows = store.load_run("order-1").await.expect("it is whole");
    assert_eq!(sequences(&rows), [1]);
    drop(under_way);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nobody_in_line() {
    let stopped = stopped().await;
    stopped.fail_the_next();
    let appends = many(&stopped.store, 300).await;
    stopped.leave.send(()).expect("it waits");
    let answers = join_all(appends).await;
    let kinds = answers.iter().map(|answer| {
        let error = answer.as_ref().expect_err("the store has failed");
        kind_of(error).expect("it is the store's")
    });
    let kinds: Vec<StoreErrorKind> = kinds.collect();
    let unknown = kinds.partition_point(|kind| *kind == StoreErrorKind::UnknownOutcome);
    assert!((1..300).contains(&unknown), "{unknown} were in the batch");
    let rest = &kinds[unknown..];
    assert!(
        rest.iter().all(|kind| *kind == StoreErrorKind::Unavailable),
        "{rest:?}"
    );
    assert_eq!(stopped.store.queued_bytes(), 0);
}

/// A runtime that has ended performs nothing, and leaves nobody in line either.
#[tokio::test]
async fn a_runtime_that_has_ended_leaves_nobody_in_line() {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, ended()).expect("an empty place");
    let appends = many(&store, 300).await;
    for answer in join_all(appends).await {
        let error = answer.expect_err("nobody performs it");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
    }
    assert_eq!(store.queued_bytes(), 0);
    drop(store);
    drop(open(&disk).expect("it is closed"));
}

#[tokio::test]
async fn futures_dropped_anywhere_in_line_leave_the_queue_empty() {
    for kept in [0, 1, 130, 299] {
        let Stopped {
            store,
            under_way,
            leave,
            ..
        } = stopped().await;
        let mut appends = many(&store, 300).await;
        drop(appends.split_off(kept));
        leave.send(()).expect("it waits");
        under_way.await.expect("it is free");
        for answer in join_all(appends).await {
            answer.expect("it is free");
        }
        let rows = store.load_run("order-1").await.expect("it is whole");
        assert_eq!(rows.len(), kept + 1, "those that were dropped never came");
        assert_eq!(store.queued_bytes(), 0);
    }
}
