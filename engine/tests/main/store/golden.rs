//! Files that version 0.1.0 wrote, in format 1. They are never written again: a later version has to
//! read them as they are, whatever it or its redb writes itself.
//!
//! Both hold what [`runs`] says, appended in that order, after a run that was cleared. One was closed;
//! the other is a copy of the file while the store had it open, as a crash leaves it, and is repaired
//! when it is opened.

use std::fs;

use crashpoint::disk::OpenCheck;
use crashpoint::{CheckpointRow, CheckpointStore as _, Engine, RedbReader, StatusPhase};

use super::disk::MemoryDisk;
use super::{append, ids, load, now, one_of_each, open, open_with_check, row};

const CLOSED: &[u8] = include_bytes!("../../golden/format-1-closed.redb");
const CRASHED: &[u8] = include_bytes!("../../golden/format-1-crashed.redb");

/// The kinds that version 0.1.0 had, each without a blob and with one.
const ROWS_OF_EACH_KIND: usize = 2 * 9;

/// Every kind of row that there was, ids that sort by their bytes, a gap, and a blob over several pages.
fn runs() -> [(&'static str, Vec<CheckpointRow>); 4] {
    let long = row(0).with_output((0..10_000).map(|at| (at % 251) as u8).collect());
    [
        ("order-1", one_of_each()[..ROWS_OF_EACH_KIND].to_vec()),
        ("order-10", vec![row(0), row(1), row(7)]),
        ("order-2", vec![long]),
        ("übung", vec![row(0)]),
    ]
}

fn check(golden: &[u8], check: OpenCheck) {
    let disk = MemoryDisk::holding(golden.to_vec());
    let store = open_with_check(&disk, check).expect("it is whole");
    let runs = runs();
    let known = runs.iter().map(|(id, _)| *id).chain(["order-9"]);
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    assert_eq!(ids(&store).expect("it lists"), known);
    for (id, rows) in &runs {
        assert_eq!(&load(&store, id).expect("it is whole"), rows, "{id}");
    }
    append(&store, "order-10", row(8)).expect("it is free");
    append(&store, "order-10", row(7)).expect_err("it is there");
    now(store.clear("order-1")).expect("memory takes it");
    drop(store);
    let store = open_with_check(&disk, check).expect("it was closed");
    let rows = load(&store, "order-10").expect("it is whole");
    assert_eq!(rows, [row(0), row(1), row(7), row(8)]);
    assert_eq!(load(&store, "order-1").expect("it is whole"), []);
}

#[test]
fn a_file_of_format_1_that_was_closed_is_read_and_gone_on_with() {
    check(CLOSED, OpenCheck::Whole);
    check(CLOSED, OpenCheck::Skipped);
}

#[test]
fn a_file_of_format_1_that_a_crash_left_is_repaired_and_gone_on_with() {
    check(CRASHED, OpenCheck::Whole);
    check(CRASHED, OpenCheck::Skipped);
}

#[tokio::test]
async fn a_file_of_format_1_is_read_where_nothing_may_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    for golden in [CLOSED, CRASHED] {
        let path = folder.path().join("store");
        fs::write(&path, golden).expect("the disk takes it");
        let mut reader = RedbReader::open(&path).expect("it is whole");
        for (id, rows) in runs() {
            assert_eq!(reader.load_run(id).expect("it is whole"), rows, "{id}");
        }
        drop(reader);
        assert_eq!(fs::read(&path).expect("it is there"), golden);
    }
}

/// The log of a saga, with its claim and its checkpoints, by the engine of that version.
#[tokio::test]
async fn a_run_in_a_file_of_format_1_is_where_its_process_left_it() {
    for golden in [CLOSED, CRASHED] {
        let disk = MemoryDisk::holding(golden.to_vec());
        let store = open(&disk).expect("it is whole");
        let status = Engine::new(store).status("order-9").await;
        let state = "Ship".to_owned();
        let phase = status.expect("it is there").phase;
        assert_eq!(phase, StatusPhase::Running { state });
    }
}
