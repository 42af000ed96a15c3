//! An open store across a fork.
//!
//! A hostile week found that a parent and its child were each told Ok for 200 rows, after which the
//! file no longer opened; and that a child which only dropped its copy released the parent's lock.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::exit;

use crashpoint::{
    CheckpointStore as _, Error, RedbCheckpointStore, RedbReader, StoreError, StoreErrorKind,
};
use fork::{Fork, fork, waitpid};
use tempfile::TempDir;

use super::{append, ids, inline, load, now, row};

/// A store in a file, with a row.
fn store() -> (TempDir, RedbCheckpointStore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&path(&folder)).expect("a fresh file");
    append(&store, "order-1", row(0)).expect("a free sequence");
    (folder, store)
}

fn open(path: &Path) -> Result<RedbCheckpointStore, Error> {
    RedbCheckpointStore::with_runtime(path, inline())
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("store")
}

/// Lets a fork of this process do something with its copy; whether it found what it should.
fn in_a_fork<T>(copy: T, act: impl FnOnce(T) -> bool) -> (T, bool) {
    match fork().expect("the system forks") {
        Fork::Child => exit(i32::from(!act(copy))),
        Fork::Parent(child) => {
            let status = waitpid(child).expect("the child is ours");
            (copy, status == 0)
        }
    }
}

fn is_refused<T>(answer: Result<T, Error>) -> bool {
    let refused = answer.err().map(StoreError::from);
    refused.is_some_and(|error| error.kind() == StoreErrorKind::OtherProcess)
}

/// The parent still holds the file, with the rows that it was told are there.
fn the_parent_goes_on(folder: &TempDir, store: RedbCheckpointStore) {
    let second = open(&path(folder)).map_err(StoreError::from);
    let kind = second.expect_err("the parent's lock holds").kind();
    assert_eq!(kind, StoreErrorKind::Unavailable);
    append(&store, "order-1", row(1)).expect("the parent may write");
    drop(store);
    let store = open(&path(folder)).expect("the file is whole and unlocked");
    assert_eq!(load(&store, "order-1").expect("whole"), [row(0), row(1)]);
}

#[test]
fn every_operation_is_refused_in_a_fork_and_the_parent_loses_nothing() {
    let (folder, store) = store();
    let (store, refused) = in_a_fork(store, |copy| {
        let refused = [
            is_refused(append(&copy, "order-1", row(1))),
            is_refused(load(&copy, "order-1")),
            is_refused(now(copy.clear("order-1"))),
            is_refused(ids(&copy)),
        ];
        refused == [true; 4]
    });
    assert!(refused);
    the_parent_goes_on(&folder, store);
}

#[test]
fn a_fork_that_drops_its_copy_leaves_file_and_lock_to_the_parent() {
    let (folder, store) = store();
    let before = std::fs::read(path(&folder)).expect("a file");
    let (store, dropped) = in_a_fork(store, |copy| {
        drop(copy);
        true
    });
    assert!(dropped);
    assert_eq!(std::fs::read(path(&folder)).expect("a file"), before);
    the_parent_goes_on(&folder, store);
}

#[test]
fn a_living_fork_that_has_dropped_its_copy_does_not_keep_the_file_locked() {
    let (folder, store) = store();
    let (mut dropped, tell_dropped) = io::pipe().expect("a pipe");
    let (mut over, tell_over) = io::pipe().expect("a pipe");
    let Fork::Parent(child) = fork().expect("the system forks") else {
        drop(store);
        // The end of a pipe is seen once nobody holds its other side.
        drop((tell_dropped, tell_over));
        _ = over.read(&mut [0]);
        exit(0);
    };
    drop(tell_dropped);
    assert_eq!(dropped.read(&mut [0]).expect("a pipe"), 0);
    assert!(is_locked(&path(&folder)));
    drop(store);
    assert!(!is_locked(&path(&folder)));
    drop(tell_over);
    waitpid(child).expect("the child is ours");
}

fn is_locked(path: &Path) -> bool {
    let opened = open(path).map_err(StoreError::from);
    opened.is_err_and(|error| error.kind() == StoreErrorKind::Unavailable)
}

#[test]
fn a_fork_opens_a_store_of_its_own() {
    let (folder, store) = store();
    let own = folder.path().join("own");
    let (store, written) = in_a_fork(store, |copy| {
        drop(copy);
        let store = open(&own).expect("a fresh file");
        append(&store, "order-2", row(0)).is_ok()
    });
    assert!(written);
    the_parent_goes_on(&folder, store);
    let store = open(&own).expect("the child is gone");
    assert_eq!(load(&store, "order-2").expect("whole"), [row(0)]);
}

#[test]
fn a_fork_that_drops_a_reader_leaves_the_parents_lock() {
    let (folder, store) = store();
    drop(store);
    let reader = RedbReader::open(path(&folder)).expect("a whole file");
    let (reader, dropped) = in_a_fork(reader, |copy| {
        drop(copy);
        true
    });
    assert!(dropped && is_locked(&path(&folder)));
    drop(reader);
    assert!(!is_locked(&path(&folder)));
}
