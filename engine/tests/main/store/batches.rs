//! Operations that wait at the same time share a commit, and nobody can tell.

use std::error::Error as _;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, MemoryCheckpointStore, RedbCheckpointStore,
    StoreErrorKind,
};
use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt as _, poll};
use proptest::prelude::*;

use super::disk::MemoryDisk;
use super::stopped::{Stopped, stopped};
use super::{Blocking, append, ids, kind_of, load, open, row};

/// An operation on one of a few runs.
#[derive(Debug, Clone, Copy)]
enum Op {
    Append(u8, u64),
    Load(u8),
    Clear(u8),
    List,
}

/// What one came to; of an error its kind.
#[derive(Debug, Clone, PartialEq)]
enum Came {
    Done,
    Rows(Vec<CheckpointRow>),
    Ids(Vec<String>),
    Failed(Option<StoreErrorKind>),
}

fn came<T>(result: Result<T, Error>, of: impl FnOnce(T) -> Came) -> Came {
    result.map_or_else(|error| Came::Failed(kind_of(&error)), of)
}

/// The number of the operation is in its row, so that it tells who wrote it.
async fn perform(store: &dyn CheckpointStore, op: Op, number: usize) -> Came {
    let id = |run: u8| format!("order-{run}");
    match op {
        Op::Append(run, sequence) => {
            let row = row(sequence).with_output(number.to_le_bytes().to_vec());
            came(store.append(&id(run), row).await, |()| Came::Done)
        }
        Op::Load(run) => came(store.load_run(&id(run)).await, Came::Rows),
        Op::Clear(run) => came(store.clear(&id(run)).await, |()| Came::Done),
        Op::List => {
            let listing = store.as_listing().expect("it lists");
            came(listing.run_ids(None, usize::MAX).await, Came::Ids)
        }
    }
}

/// A store whose work begins after everybody has come.
fn deferred(disk: &MemoryDisk) -> RedbCheckpointStore {
    let deferring = Blocking::new(|work| {
        Box::pin(async {
            tokio::task::yield_now().await;
            work();
        })
    });
    RedbCheckpointStore::on_disk(disk, deferring).expect("an empty place")
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        6 => (0_u8..3, 0_u64..4).prop_map(|(run, sequence)| Op::Append(run, sequence)),
        2 => (0_u8..3).prop_map(Op::Load),
        2 => (0_u8..3).prop_map(Op::Clear),
        1 => Just(Op::List),
    ];
    proptest::collection::vec(op, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Held against a store that performs one after the other.
    #[test]
    fn a_batch_is_as_if_each_operation_had_been_alone(groups in proptest::collection::vec(ops(), 1..3)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let disk = MemoryDisk::default();
            let (store, model) = (deferred(&disk), MemoryCheckpointStore::new());
            for ops in groups {
                let begun = ops.iter().enumerate().map(|(at, op)| perform(&store, *op, at));
                let answers = join_all(begun).await;
                for (at, (op, answer)) in ops.iter().zip(answers).enumerate() {
                    let expected = perform(&model, *op, at).now_or_never();
                    let expected = expected.expect("memory answers at once");
                    assert_eq!(answer, expected, "operation {at} of {ops:?}");
                }
            }
            drop(store);
            // What was answered is what is there.
            let store = open(&disk).expect("it was closed");
            for run in 0..3 {
                let id = format!("order-{run}");
                let expected = model.load_run(&id).await.expect("memory answers");
                assert_eq!(load(&store, &id).expect("it is whole"), expected);
            }
        });
    }
}

/// Begins appends to a store that is stopped; they wait.
async fn begun(
    store: &RedbCheckpointStore,
    rows: impl Iterator<Item = (String, CheckpointRow)>,
) -> Vec<BoxFuture<'_, Result<(), Error>>> {
    let mut appends = Vec::new();
    for (id, row) in rows {
        let mut append: BoxFuture<'_, _> = Box::pin(async move { store.append(&id, row).await });
        assert!(poll!(&mut append).is_pending());
        appends.push(append);
    }
    appends
}

#[tokio::test]
async fn appends_that_wait_at_the_same_time_share_one_commit() {
    let stopped = stopped().await;
    let rows = (0..100).map(|number| (format!("order-{number}"), row(1)));
    let appends = begun(&stopped.store, rows).await;
    stopped.leave.send(()).expect("it waits");
    for answer in join_all(appends).await {
        answer.expect("it is free");
    }
    assert_eq!(stopped.syncs(), 4, "the first one, and that of the others");
}

#[tokio::test]
async fn a_duplicate_within_a_batch_is_refused_alone() {
    let stopped = stopped().await;
    let second = row(1).with_output(vec![2]);
    let rows = [row(1), second, row(2), row(0), row(3)].map(|row| ("order-1".to_owned(), row));
    let appends = begun(&stopped.store, rows.into_iter()).await;
    stopped.leave.send(()).expect("it waits");
    let answers = join_all(appends).await;
    let kinds = answers
        .iter()
        .map(|answer| answer.as_ref().err().and_then(kind_of));
    let conflict = Some(StoreErrorKind::Conflict);
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [None, conflict, None, conflict, None]
    );
    let refusal = answers[1].as_ref().expect_err("it is taken").to_string();
    let expected = "checkpoint store: run \"order-1\" already has sequence 1";
    assert_eq!(refusal, expected);
    assert_eq!(stopped.syncs(), 4);
    let rows = stopped.store.load_run("order-1").await;
    assert_eq!(
        rows.expect("it is whole"),
        [row(0), row(1), row(2), row(3)],
        "the first of two is the one"
    );
}

#[tokio::test]
async fn a_batch_of_refusals_makes_nothing_durable() {
    let stopped = stopped().await;
    let rows = (0..5).map(|_| ("order-1".to_owned(), row(0)));
    let appends = begun(&stopped.store, rows).await;
    stopped.leave.send(()).expect("it waits");
    for answer in join_all(appends).await {
        let error = answer.expect_err("it is taken");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Conflict));
    }
    assert_eq!(stopped.syncs(), 2);
}

/// A refusal is no better known than the rest: the row that it was refused for may not be there.
#[tokio::test]
async fn a_commit_that_fails_is_unknown_to_all_who_waited_for_it_and_the_last_one() {
    let stopped = stopped().await;
    stopped.fail_the_next();
    let rows = [(1, 1), (2, 1), (1, 1), (1, 0)];
    let rows = rows.map(|(run, sequence)| (format!("order-{run}"), row(sequence)));
    let mut appends = begun(&stopped.store, rows.into_iter()).await;
    let mut cleared = stopped.store.clear("order-3");
    assert!(poll!(&mut cleared).is_pending());
    let mut loaded = stopped.store.load_run("order-1");
    assert!(poll!(&mut loaded).is_pending());
    stopped.leave.send(()).expect("it waits");
    appends.push(cleared);
    let answers = join_all(appends).await;
    let what = [
        "append of row 1 to run \"order-1\"",
        "append of row 1 to run \"order-2\"",
        "append of row 1 to run \"order-1\"",
        "append of row 0 to run \"order-1\"",
        "clear of run \"order-3\"",
    ];
    for (answer, what) in answers.into_iter().zip(what) {
        let error = answer.expect_err("its commit failed");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::UnknownOutcome));
        let expected =
            format!("checkpoint store: {what}: I/O error: sync failed; open the store again");
        assert_eq!(error.to_string(), expected);
        // They share one cause, and each shows it as the backend's own.
        let cause = error.store_error().and_then(|error| error.source());
        let cause = cause.expect("it has one");
        assert!(cause.is::<redb::Error>(), "{cause}");
    }
    // The load of the same batch, and everything later: what it would show may not be durable.
    let later = stopped.store.load_run("order-1").await;
    for answer in [loaded.await, later] {
        let error = answer.expect_err("the store has failed");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
        assert!(
            error.to_string().ends_with("open the store again"),
            "{error}"
        );
    }
    let Stopped { store, disk, .. } = stopped;
    drop(store);
    disk.heal();
    let store = open(&disk).expect("it is whole");
    assert_eq!(load(&store, "order-1").expect("it is whole"), [row(0)]);
    assert_eq!(load(&store, "order-2").expect("it is whole"), []);
}

#[tokio::test]
async fn a_batch_has_a_bound_of_bytes_and_one_of_operations() {
    let cases = [
        // Three rows of a little more than a mebibyte stay below four.
        (10, 1 << 20, 4),
        // A row that is longer than a batch is one.
        (3, 5 << 20, 3),
        (100, 40_000, 1),
        (1024, 0, 1),
        (1025, 0, 2),
        (3000, 0, 3),
    ];
    for (count, bytes, batches) in cases {
        let stopped = stopped().await;
        let row = |number| row(number).with_output(vec![7; bytes]);
        let rows = (0..count).map(|number| ("order-2".to_owned(), row(number)));
        let appends = begun(&stopped.store, rows).await;
        stopped.leave.send(()).expect("it waits");
        for answer in join_all(appends).await {
            answer.expect("it is free");
        }
        let what = format!("{count} rows of {bytes} bytes");
        assert_eq!(stopped.syncs(), 2 * (1 + batches), "{what}");
        let loaded = stopped.store.load_run("order-2").await;
        assert_eq!(loaded.expect("it is whole").len() as u64, count, "{what}");
    }
}

/// The blob is never touched, so no memory stands behind it.
#[tokio::test]
async fn a_row_that_is_too_long_is_refused_alone() {
    let stopped = stopped().await;
    let long = row(2).with_output(vec![0; 1 << 30]);
    let rows = [row(1), long, row(3)].map(|row| ("order-1".to_owned(), row));
    let appends = begun(&stopped.store, rows.into_iter()).await;
    stopped.leave.send(()).expect("it waits");
    let mut answers = join_all(appends).await.into_iter();
    answers.next().expect("three").expect("it is free");
    let error = answers.next().expect("three").expect_err("it is too long");
    let expected = "checkpoint store: append of row 2 to run \"order-1\": with its id it is longer \
                    than 1073741824 bytes";
    assert_eq!(error.to_string(), expected);
    assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable));
    answers.next().expect("three").expect("it is free");
    let rows = stopped.store.load_run("order-1").await;
    assert_eq!(rows.expect("it is whole"), [row(0), row(1), row(3)]);
}

/// What has begun is finished, whoever waits for it; what has not is not.
#[tokio::test]
async fn futures_dropped_out_of_a_batch_leave_it_whole_and_those_of_the_next_one_nothing() {
    let disk = MemoryDisk::default();
    let store = deferred(&disk);
    let mut first = store.append("order-1", row(0));
    assert!(poll!(&mut first).is_pending());
    // Its batch begins with the next poll, so this one is of the same batch and goes before.
    let mut withdrawn = store.append("order-1", row(1));
    assert!(poll!(&mut withdrawn).is_pending());
    let mut kept = store.append("order-1", row(2));
    assert!(poll!(&mut kept).is_pending());
    drop(withdrawn);
    // The batch is performed within this poll; nobody has asked for the answer of the other yet.
    first.await.expect("it is free");
    drop(kept);
    drop(store);
    let store = open(&disk).expect("it was closed");
    assert_eq!(load(&store, "order-1").expect("whole"), [row(0), row(2)]);
}

/// The store is dropped in the middle of a commit that nobody waits for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_dropped_finishes_the_batch_that_is_under_way_and_closes() {
    let Stopped {
        store,
        disk,
        under_way,
        leave,
        ..
    } = stopped().await;
    drop(under_way);
    let dropped = std::thread::scope(|scope| {
        let dropping = scope.spawn(|| drop(store));
        leave.send(()).expect("it waits");
        dropping.join()
    });
    dropped.expect("it does not panic");
    disk.heal();
    let store = open(&disk).expect("it is closed");
    assert_eq!(ids(&store).expect("it lists"), ["order-1"]);
    assert_eq!(load(&store, "order-1").expect("it is whole"), [row(0)]);
    append(&store, "order-1", row(1)).expect("it is free");
}
