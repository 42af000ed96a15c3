//! Random operations against the model: correct stores answer as it does, and the operations that find
//! a broken store are few.

use crashpoint::MemoryCheckpointStore;
use crashpoint_conformance::differential::{
    Differential, Found, Operations, append, clear, plain, rows_from,
};
use crashpoint_conformance::{BoxError, Harness, Options, Place, claim, run_all};
use expect_test::{Expect, expect};

use crate::kill_matrix::everything;
use crate::memory::Memory;
use crate::mutants::{Broken, Faithful, Mutated, between};

fn reopening() -> Differential {
    Differential::new().claims([claim::reopen])
}

#[test]
fn correct_stores_answer_as_the_model_does() {
    let ended = Differential::new().run::<Memory>().unwrap();
    assert_eq!(ended.cases, 128);
    assert_eq!(ended.counted.reopenings, 0);
    let ended = reopening().seed(1).run::<Mutated<Broken<Faithful>>>();
    assert!(ended.unwrap().counted.reopenings > 100);
}

#[test]
fn a_seed_draws_the_same_cases_again() {
    let once = |seed| Differential::new().seed(seed).run::<Memory>().unwrap();
    assert_eq!(once(7), once(7));
    assert_ne!(once(7), once(8));
}

#[test]
fn cases_without_every_kind_of_operation_are_never_a_pass() {
    let found = Differential::new().operations_max(3).run::<Memory>();
    let Err(found) = found else {
        panic!("three operations are not six");
    };
    assert!(matches!(*found, Found::Inconclusive(_)), "{found}");
    let none = Differential::new().cases(0).run::<Memory>();
    assert!(matches!(*none.unwrap_err(), Found::Inconclusive(_)));
}

/// Finds the fault, and compares the code of the smallest operations and the message with the text.
fn shrinks<F: crate::mutants::Fault>(text: &Expect) {
    let found = reopening().run::<Mutated<Broken<F>>>();
    let Found::Difference {
        operations,
        message,
        ..
    } = *found.unwrap_err()
    else {
        panic!("it answers otherwise");
    };
    text.assert_eq(&format!("{}\n{message}\n", operations.to_code()));
    assert!(operations.replay::<Mutated<Broken<F>>>().is_err());
    assert!(operations.replay::<Memory>().is_ok() || operations.to_code().contains("reopen"));
}

#[test]
fn a_refusal_that_outlives_a_clear_is_found() {
    shrinks::<between::RemembersRefusals>(&expect![[r#"
        Operations::new([
            append("a:1", plain(4)),
            append("a:1", plain(4)),
            clear("a:1"),
            append("a:1", plain(4)),
        ])
        append of {sequence 4, state "state 0", task "task 0", state_entry, no blob} to run "a:1": expected Ok, got the error "checkpoint store: run "a:1" already has sequence 4"
    "#]]);
}

#[test]
fn a_page_with_one_row_that_a_clear_overlooks_is_found() {
    shrinks::<between::PageOfOne>(&expect![[r#"
        Operations::new([
            rows_from("c", 0, 17),
            clear("c"),
        ])
        run "c" at the end: expected an empty run with no row, got 1 row with {sequence 16, state "state 0", task "task 0", state_entry, no blob} at position 0
    "#]]);
}

#[test]
fn a_cache_of_two_that_three_runs_share_is_found() {
    shrinks::<between::SlotOfAnother>(&expect![[r#"
        Operations::new([
            load("b"),
            load("c"),
            load("ab"),
            append("b", plain(0)),
        ])
        run "ab" at the end: expected an empty run with no row, got 1 row with {sequence 0, state "state 0", task "task 0", state_entry, no blob} at position 0
    "#]]);
}

#[test]
fn an_index_that_is_a_count_after_reopening_is_found() {
    shrinks::<between::CountsAfterReopening>(&expect![[r#"
        Operations::new([
            append("a", plain(0)),
            reopen(),
            append("a:1", plain(3)),
            append("a:1", plain(3)),
        ])
        append of {sequence 3, state "state 0", task "task 0", state_entry, no blob} to run "a:1", where the sequence is taken: expected a rejection, got Ok
    "#]]);
}

#[test]
fn a_clear_that_is_done_again_at_opening_is_found() {
    shrinks::<between::ReplaysClears>(&expect![[r#"
        Operations::new([
            clear("A"),
            append("A", plain(0)),
            reopen(),
        ])
        run "A" at the end: expected 1 row with {sequence 0, state "state 0", task "task 0", state_entry, no blob}, got an empty run with no row at position 0
    "#]]);
}

#[test]
fn blobs_that_are_told_apart_by_length_are_found() {
    shrinks::<between::InternsByLength>(&expect![[r#"
        Operations::new([
            append("ab", row(2, 0, RowKind::StateEntry, Some(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))),
            append("ab", row(0, 0, RowKind::StateEntry, Some(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))),
        ])
        run "ab" at the end: expected 2 rows with {sequence 0, state "state 0", task "task 0", state_entry, blob of 11 bytes 00 00 00 00 00 00 00 00 ..}, got 2 rows with {sequence 0, state "state 0", task "task 0", state_entry, blob of 11 bytes 00 00 00 00 00 00 00 00 ..} at position 0 (got sequences 0, 2)
    "#]]);
}

#[test]
fn an_append_after_a_refusal_that_is_not_looked_at_is_found() {
    shrinks::<between::SkipsCheckAfterRefusal>(&expect![[r#"
        Operations::new([
            append("a", plain(0)),
            append("a", plain(0)),
            append("a", plain(0)),
        ])
        append of {sequence 0, state "state 0", task "task 0", state_entry, no blob} to run "a", where the sequence is taken: expected a rejection, got Ok
    "#]]);
}

/// Shows that random operations find what no law finds.
fn no_law_finds<F: crate::mutants::Fault>() {
    let report = run_all::<Mutated<Broken<F>>>(&everything());
    assert!(report.passed(), "{report}");
}

#[test]
fn a_page_with_one_row_is_overlooked_by_every_law() {
    no_law_finds::<between::PageOfOne>();
}

#[test]
fn pasted_operations_are_replayed() {
    let operations = Operations::new([rows_from("a", 0, 17), clear("a"), append("b", plain(0))]);
    assert!(operations.replay::<Memory>().is_ok());
    let found = operations.replay::<Mutated<Broken<between::PageOfOne>>>();
    expect![[r#"
        the store does not answer as the model does:

           1  append plain rows 0 to 16 to run "a": 17 Ok, 0 refused
           2  clear run "a": Ok
           3  append {sequence 0, state "state 0", task "task 0", state_entry, no blob} to run "b": Ok

        run "a" at the end: expected an empty run with no row, got 1 row with {sequence 16, state "state 0", task "task 0", state_entry, no blob} at position 0

        as a test:

        use crashpoint_conformance::differential::*;

        let operations = Operations::new([
            rows_from("a", 0, 17),
            clear("a"),
            append("b", plain(0)),
        ]);
        operations.replay::<Mine>().unwrap();
    "#]].assert_eq(&format!("{}\n", found.unwrap_err()));
}

/// A store that can't be opened.
struct Nowhere;

impl Harness for Nowhere {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Err("connection refused".into())
    }

    fn options() -> Options {
        Options::default()
    }
}

#[test]
fn a_store_that_can_not_be_opened_is_not_the_stores_fault() {
    let found = *reopening().run::<Nowhere>().unwrap_err();
    let message = "the harness could not open the store: connection refused".to_owned();
    assert_eq!(found, Found::Harness(message));
}
