//! A disk that fails under an open store: what the error says, and what is there afterwards.

use crashpoint::{CheckpointStore as _, Error, RedbCheckpointStore, StoreErrorKind};
use expect_test::expect;

use super::disk::{Fate, MemoryDisk};
use super::{append, ids, kind_of, load, now, open, row, try_open};

/// A store with row 0 of a run, opened anew, so that nothing of it is in memory.
fn opened() -> (MemoryDisk, RedbCheckpointStore) {
    let disk = MemoryDisk::default();
    let store = open(&disk).expect("an empty place");
    append(&store, "order-1", row(0)).expect("a free sequence");
    drop(store);
    let store = open(&disk).expect("it was closed");
    (disk, store)
}

/// The store answers errors, whatever it is asked.
fn is_broken(store: &RedbCheckpointStore, what: &str) {
    let answers: [(&str, Option<Error>); 4] = [
        (
            "append of row 9 to run \"order-9\"",
            append(store, "order-9", row(9)).err(),
        ),
        ("load of run \"order-1\"", load(store, "order-1").err()),
        (
            "clear of run \"order-1\"",
            now(store.clear("order-1")).err(),
        ),
        ("listing of runs", ids(store).err()),
    ];
    for (asked, error) in answers {
        let error = error.unwrap_or_else(|| panic!("{what}: {asked} succeeded"));
        assert_eq!(kind_of(&error), Some(StoreErrorKind::Unavailable), "{what}");
        let message = error.to_string();
        let expected = format!("checkpoint store: {asked}: the store has failed before (");
        assert!(message.starts_with(&expected), "{what}: {message}");
        assert!(
            message.ends_with("); open the store again"),
            "{what}: {message}"
        );
    }
}

#[test]
fn a_commit_syncs_its_data_and_then_the_header_that_points_to_it() {
    let (disk, store) = opened();
    // It has read what it needs, and the file has grown, which is a sync as well.
    append(&store, "order-1", row(1)).expect("a free sequence");
    let mut operations = disk.operations_of(|| {
        append(&store, "order-1", row(2)).expect("a free sequence");
    });
    operations.dedup();
    expect!["write sync write sync"].assert_eq(&operations.join(" "));
    let mut operations = disk.operations_of(|| now(store.clear("order-1")).expect("it is whole"));
    operations.dedup();
    expect!["write sync write sync"].assert_eq(&operations.join(" "));
    let operations = disk.operations_of(|| now(store.clear("order-1")).expect("it is empty"));
    assert!(
        !operations.contains(&"sync"),
        "nothing is made durable: {operations:?}"
    );
    let operations = disk.operations_of(|| _ = load(&store, "order-1").expect("it is empty"));
    assert!(
        !operations.contains(&"write"),
        "a load writes nothing: {operations:?}"
    );
}

/// Each operation of an append fails in turn, once or for good, before or after it has happened.
#[test]
fn an_append_that_fails_at_any_operation_says_what_is_known_and_breaks_the_store() {
    let (disk, store) = opened();
    let count = disk
        .operations_of(|| append(&store, "order-1", row(1)).expect("it is free"))
        .len();
    let mut unknown = 0;
    for fate in [Fate::Fails, Fate::FailsAfter] {
        for number in 0..count {
            let what = format!("{fate:?} at operation {number}");
            let (disk, store) = opened();
            disk.fate_from(number, fate);
            let error = append(&store, "order-1", row(1)).expect_err(&what);
            disk.heal();
            is_broken(&store, &what);
            drop(store);

            let store = open(&disk).expect(&what);
            let rows = load(&store, "order-1").expect(&what);
            assert_eq!(rows[0], row(0), "{what}: an acknowledged row is there");
            match kind_of(&error) {
                Some(StoreErrorKind::Unavailable) => assert_eq!(rows.len(), 1, "{what}"),
                Some(StoreErrorKind::UnknownOutcome) => {
                    unknown += 1;
                    assert!(
                        rows.len() == 1 || rows == [row(0), row(1)],
                        "{what}: {rows:?}"
                    );
                }
                other => panic!("{what}: {other:?}: {error}"),
            }
            let message = error.to_string();
            let expected = "checkpoint store: append of row 1 to run \"order-1\": ";
            assert!(message.starts_with(expected), "{what}: {message}");
            assert!(message.contains(" failed"), "{what}: {message}");
            append(&store, "order-1", row(2)).expect("it works again");
        }
    }
    assert!(unknown > 0, "a commit was among the operations");
}

/// The header is written, and then its sync fails: the row is there, or it will be gone.
#[test]
fn a_failed_second_sync_is_an_unknown_outcome() {
    for (sync, landed) in [(1, false), (2, true)] {
        let (disk, store) = opened();
        // The file grows, which is a sync as well.
        append(&store, "order-1", row(1)).expect("a free sequence");
        let mut syncs = 0;
        disk.decide_by(move |operation| {
            syncs += usize::from(operation == "sync");
            if operation == "sync" && syncs == sync {
                Fate::Fails
            } else {
                Fate::Happens
            }
        });
        let error = append(&store, "order-1", row(2)).expect_err("the sync fails");
        assert_eq!(kind_of(&error), Some(StoreErrorKind::UnknownOutcome));
        let expected = "checkpoint store: append of row 2 to run \"order-1\": I/O error: sync failed; open the store again";
        assert_eq!(error.to_string(), expected);
        is_broken(&store, "a failed sync");
        disk.heal();
        is_broken(&store, "a disk that has healed");
        drop(store);
        // Nothing was lost here, so what was written is there.
        let store = open(&disk).expect("it is whole");
        let rows = load(&store, "order-1").expect("it is whole");
        assert_eq!(rows.len(), 2 + usize::from(landed), "sync {sync}");
    }
}

#[test]
fn a_clear_that_fails_at_any_operation_is_whole_or_has_not_happened() {
    let two_rows = || {
        let (disk, store) = opened();
        append(&store, "order-1", row(1)).expect("it is free");
        append(&store, "order-2", row(0)).expect("it is free");
        (disk, store)
    };
    let (disk, store) = two_rows();
    let count = disk
        .operations_of(|| now(store.clear("order-1")).expect("it is whole"))
        .len();
    for number in 0..count {
        let what = format!("operation {number}");
        let (disk, store) = two_rows();
        disk.fate_from(number, Fate::Fails);
        let error = now(store.clear("order-1")).expect_err(&what);
        assert!(kind_of(&error).is_some(), "{what}");
        disk.heal();
        is_broken(&store, &what);
        drop(store);
        let store = open(&disk).expect(&what);
        let rows = load(&store, "order-1").expect(&what);
        assert!(
            rows.is_empty() || rows == [row(0), row(1)],
            "{what}: {rows:?}"
        );
        assert_eq!(load(&store, "order-2").expect(&what), [row(0)], "{what}");
    }
}

#[test]
fn an_opening_that_fails_at_any_operation_harms_nothing() {
    let (disk, store) = opened();
    drop(store);
    let count = disk
        .operations_of(|| drop(open(&disk).expect("it was closed")))
        .len();
    for fate in [Fate::Fails, Fate::FailsAfter] {
        for number in 0..count {
            let what = format!("{fate:?} at operation {number}");
            let (disk, store) = opened();
            drop(store);
            disk.fate_from(number, fate);
            try_open(&disk, &what);
            disk.heal();
            let store = open(&disk).expect(&what);
            assert_eq!(load(&store, "order-1").expect(&what), [row(0)], "{what}");
        }
    }
}

/// What redb does with a page that is none can be a panic.
#[test]
fn a_panic_inside_of_the_database_is_an_error_and_breaks_the_store() {
    let (disk, store) = opened();
    for sequence in 1..2000 {
        let row = row(sequence).with_output(vec![7; 1000]);
        append(&store, "order-2", row).expect("it is free");
    }
    drop(store);
    let store = open(&disk).expect("it was closed");
    disk.decide_by(|operation| {
        if operation == "read" {
            Fate::Panics
        } else {
            Fate::Happens
        }
    });
    let error = load(&store, "order-2").expect_err("it panics");
    let expected = "checkpoint store: load of run \"order-2\": read panicked; open the store again";
    assert_eq!(error.to_string(), expected);
    is_broken(&store, "a panic");
    disk.heal();
    is_broken(&store, "a panic that is over");
    drop(store);
    let store = open(&disk).expect("it was closed");
    assert_eq!(load(&store, "order-1").expect("it is whole"), [row(0)]);
}
