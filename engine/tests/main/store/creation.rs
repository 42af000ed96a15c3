//! A store is created whole or not at all, by whoever is first.

use std::fs;
use std::sync::Barrier;

use crashpoint::{CheckpointStore as _, Error, RedbCheckpointStore, StoreErrorKind};

use super::disk::{Fate, MemoryDisk};
use super::{append, ids, kind_of, load, now, open, row, try_open};

/// The store in this place can be opened, is empty and takes a row.
fn is_a_new_store(disk: &MemoryDisk, what: &str) {
    let store = open(disk).expect(what);
    assert_eq!(ids(&store).expect(what), Vec::<String>::new(), "{what}");
    append(&store, "order-1", row(0)).expect(what);
    assert_eq!(load(&store, "order-1").expect(what), [row(0)], "{what}");
}

/// The disk dies at each of the operations of a creation, before or after it has happened. Whoever
/// opens the place afterwards finds a store, or nothing.
#[test]
fn a_creation_that_dies_at_any_operation_leaves_a_place_that_opens() {
    let disk = MemoryDisk::default();
    let operations = disk.operations_of(|| drop(open(&disk)));
    assert!(operations.len() > 20, "{operations:?}");
    let mut without_a_name = 0;
    for fate in [Fate::Fails, Fate::FailsAfter] {
        for (number, name) in operations.iter().enumerate() {
            let what = format!("{fate:?} at operation {number}, {name}");
            let disk = MemoryDisk::default();
            disk.fate_from(number, fate);
            // An error of closing is no error of opening.
            try_open(&disk, &what);
            without_a_name += usize::from(disk.named().is_none());
            disk.heal();
            is_a_new_store(&disk, &what);
        }
    }
    assert!(without_a_name > 3, "most operations come before the name");
}

/// The same for a single operation that fails while all others succeed.
#[test]
fn a_creation_with_one_failing_operation_leaves_a_place_that_opens() {
    let disk = MemoryDisk::default();
    let count = disk.operations_of(|| drop(open(&disk))).len();
    for number in 0..count {
        let disk = MemoryDisk::default();
        let mut seen = 0;
        disk.decide_by(move |_| {
            seen += 1;
            if seen == number + 1 {
                Fate::Fails
            } else {
                Fate::Happens
            }
        });
        drop(open(&disk));
        disk.heal();
        is_a_new_store(&disk, &format!("operation {number}"));
    }
}

#[test]
fn a_store_that_another_process_publishes_first_is_the_one() {
    let disk = MemoryDisk::default();
    let rival = disk.clone();
    let place = disk.clone();
    disk.decide_by(move |operation| {
        if operation == "publish" {
            // The rival shares the place, and not the plan.
            let store = open(&rival.without_faults()).expect("an empty place");
            append(&store, "order-1", row(0)).expect("a free sequence");
        }
        Fate::Happens
    });
    let store = open(&place).expect("the rival has closed it");
    assert_eq!(load(&store, "order-1").expect("it is whole"), [row(0)]);
}

#[test]
fn openings_that_race_to_create_one_place_come_to_one_store() {
    const RACERS: usize = 4;
    for _ in 0..20 {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let start = Barrier::new(RACERS);
        let opened: Vec<Result<RedbCheckpointStore, Error>> = std::thread::scope(|scope| {
            let race = || {
                start.wait();
                RedbCheckpointStore::new(&path)
            };
            let racers: Vec<_> = (0..RACERS).map(|_| scope.spawn(race)).collect();
            let ends = racers
                .into_iter()
                .map(|racer| racer.join().expect("no panic"));
            ends.collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
        for error in lost.into_iter().filter_map(Result::err) {
            assert_eq!(
                kind_of(&error),
                Some(StoreErrorKind::Unavailable),
                "{error}"
            );
            assert!(error.to_string().contains("is open already"), "{error}");
        }
        assert_eq!(won.len(), 1, "one has it open");
        drop(won);
        let names = fs::read_dir(folder.path()).expect("the folder is there");
        assert_eq!(names.count(), 1, "no draft is left behind");
        drop(RedbCheckpointStore::new(&path).expect("it is closed"));
    }
}

/// The order is part of what is promised: ascending sequences, whatever the order of the appends.
#[test]
fn twenty_reopenings_keep_rows_order_and_duplicates() {
    let disk = MemoryDisk::default();
    for round in 0..20 {
        let store = open(&disk).expect("it was closed");
        for sequence in [39 - round, round] {
            append(&store, "order-1", row(sequence)).expect("a free sequence");
            let error = append(&store, "order-1", row(sequence)).expect_err("it is taken");
            assert_eq!(kind_of(&error), Some(StoreErrorKind::Conflict));
            let expected =
                format!("checkpoint store: run \"order-1\" already has sequence {sequence}");
            assert_eq!(error.to_string(), expected);
        }
        append(&store, &format!("other-{round:02}"), row(u64::MAX)).expect("a free sequence");
    }
    let store = open(&disk).expect("it was closed");
    let rows = load(&store, "order-1").expect("it is whole");
    assert_eq!(rows, (0..40).map(row).collect::<Vec<_>>());
    now(store.clear("order-1")).expect("memory takes it");
    drop(store);
    let store = open(&disk).expect("it was closed");
    assert_eq!(load(&store, "order-1").expect("it is whole"), []);
    assert_eq!(ids(&store).expect("it lists").len(), 20);
}
