//! What was said before kills, held against files that are right and files that are not.

use std::collections::BTreeMap;

use crashpoint::CheckpointRow;
use crashpoint_benches::{ROWS_OF_A_RUN, RunId, Stage, Told, row_of};

type File = BTreeMap<RunId, Vec<CheckpointRow>>;

fn told(lines: &[&str]) -> Told {
    let mut told = Told::default();
    hear(&mut told, lines);
    told
}

fn hear(told: &mut Told, lines: &[&str]) {
    for line in lines {
        told.hear(line).expect("it can be said");
    }
}

/// A file in which each of these runs has so many rows.
fn file(runs: &[(&str, u64)]) -> File {
    let run = |(id, count): &(&str, u64)| {
        let rows = (0..*count).map(|sequence| row_of(id, sequence)).collect();
        (id.parse().expect("an id"), rows)
    };
    runs.iter().map(run).collect()
}

/// Every row of a run is acknowledged.
fn whole(told: &mut Told, id: &str) {
    for sequence in 0..ROWS_OF_A_RUN {
        hear(told, &[&format!("a {id} {sequence}")]);
    }
}

#[test]
fn what_was_acknowledged_is_asked_for_and_what_was_not_may_be_there() {
    let lines = ["s", "o", "a 0-5-0 0", "a 0-5-0 1"];
    for count in 2..=ROWS_OF_A_RUN {
        let checked = told(&lines).check(&file(&[("0-5-0", count)]));
        assert_eq!(checked, Ok(()), "{count} rows");
    }
    let unheard = told(&lines).check(&file(&[("0-5-0", 2), ("0-6-0", 3)]));
    assert_eq!(unheard, Ok(()), "nothing was heard of the second run");
}

#[test]
fn a_row_that_is_missing_after_the_kill_is_noticed() {
    let mut told = told(&["a 0-5-0 0", "a 0-5-0 1"]);
    let lost = told
        .check(&file(&[("0-5-0", 1)]))
        .expect_err("a row is lost");
    assert!(lost.starts_with("0-5-0 has 1 rows"), "{lost}");
}

#[test]
fn a_run_that_is_missing_after_the_kill_is_noticed() {
    let lost = told(&["a 0-5-0 0"]).check(&file(&[]));
    assert!(lost.is_err());
}

// The parent opened the file after each kill, which repaired it, and cleared every run. No child ever
// recovered what a kill had left, and a row that a recovery lost later was asked for by nobody. Now
// what was acknowledged is asked for after every kill, until its clear.
#[test]
fn a_row_that_is_missing_after_a_second_kill_is_noticed() {
    let right = file(&[("0-5-0", 2)]);
    let mut told = told(&["s", "o", "a 0-5-0 0", "a 0-5-0 1"]);
    told.check(&right).expect("the first process left it");
    hear(&mut told, &["s"]);
    told.check(&right)
        .expect("the second one was killed too early");
    assert_eq!(told.outlived(), 2);
    assert_eq!(told.process(), 2);
    let lost = told
        .check(&file(&[("0-5-0", 1)]))
        .expect_err("a row is lost");
    assert!(lost.starts_with("0-5-0 has 1 rows"), "{lost}");
}

#[test]
fn a_row_that_nobody_heard_of_stays_once_it_was_seen() {
    let seen = file(&[("0-5-0", 3)]);
    for (after, is_right) in [(2, false), (3, true), (4, false)] {
        let mut told = told(&["a 0-5-0 0"]);
        told.check(&seen).expect("more than was heard");
        let checked = told.check(&file(&[("0-5-0", after)]));
        assert_eq!(checked.is_ok(), is_right, "{after} rows: {checked:?}");
    }
}

#[test]
fn a_row_that_was_not_sent_is_noticed() {
    let mut other = file(&[("0-5-0", 2)]);
    let rows = other.values_mut().next().expect("a run");
    rows[1] = row_of("0-5-1", 1);
    let wrong = told(&["a 0-5-0 0"]).check(&other);
    assert_eq!(wrong, Err("0-5-0 has another row at 1".to_owned()));
    let more = told(&[]).check(&file(&[("0-5-0", ROWS_OF_A_RUN + 1)]));
    assert!(more.is_err(), "more than a run has");
}

#[test]
fn a_row_that_is_there_twice_is_noticed() {
    let mut twice = file(&[("0-5-0", 2)]);
    let rows = twice.values_mut().next().expect("a run");
    rows.insert(1, rows[0].clone());
    assert!(told(&[]).check(&twice).is_err());
}

#[test]
fn a_clear_that_was_begun_takes_all_or_nothing() {
    for (count, is_right) in [(0, true), (1, false), (23, false), (24, true)] {
        // The rows come by another way, and most were not heard.
        let mut own = told(&["a 0-5-0 0", "b 0-5-0"]);
        let checked = own.check(&file(&[("0-5-0", count)]));
        assert_eq!(checked.is_ok(), is_right, "{count} rows: {checked:?}");
    }
    for (count, is_right) in [(0, true), (1, false), (3, true), (4, false)] {
        let mut later = told(&[]);
        later.check(&file(&[("0-5-0", 3)])).expect("a run is left");
        hear(&mut later, &["b 0-5-0"]);
        let checked = later.check(&file(&[("0-5-0", count)]));
        assert_eq!(checked.is_ok(), is_right, "{count} rows: {checked:?}");
    }
}

#[test]
fn a_clear_that_did_not_happen_does_not_happen_later() {
    let left = file(&[("0-5-0", ROWS_OF_A_RUN)]);
    let mut told = told(&["a 0-5-0 0", "b 0-5-0"]);
    told.check(&left).expect("the kill came before the clear");
    assert!(told.check(&file(&[])).is_err());
}

#[test]
fn a_run_that_is_there_after_its_clear_is_noticed() {
    let back = file(&[("0-5-0", 1), ("0-5-1", 1)]);
    let cleared = Err("0-5-0 is there, which was cleared before".to_owned());
    let next = || {
        let mut told = Told::default();
        whole(&mut told, "0-5-0");
        hear(&mut told, &["b 0-5-0", "c 0-5-0", "a 0-5-1 0"]);
        told
    };
    assert_eq!(next().check(&back), cleared, "after the kill");
    let mut told = next();
    told.check(&file(&[("0-5-1", 1)])).expect("it is gone");
    assert_eq!(told.check(&back), cleared, "after a later kill");
    assert_eq!(told.hear("b 0-5-0"), cleared, "a later process has it");
}

#[test]
fn a_run_of_an_earlier_process_that_was_cleared_by_a_later_one_stays_away() {
    let left = file(&[("0-5-0", 3)]);
    let mut told = told(&[]);
    told.check(&left).expect("a run is left");
    hear(&mut told, &["s", "o", "b 0-5-0", "c 0-5-0"]);
    let back = told.check(&left);
    assert_eq!(
        back,
        Err("0-5-0 is there, which was cleared before".to_owned())
    );
}

#[test]
fn what_a_process_finds_wrong_itself_ends_the_soak() {
    for line in [
        "wrong: a second row 0 of 0-5-0: None",
        "a 0-5-0 24",
        "a 1-5-0 0",
        "a order-1 0",
        "c 0-5-0",
        "",
    ] {
        assert!(Told::default().hear(line).is_err(), "{line:?}");
    }
}

#[test]
fn each_process_begins_before_the_opening() {
    let mut told = Told::default();
    for _ in 0..2 {
        assert_eq!(told.stage(), Stage::Starting);
        hear(&mut told, &["s"]);
        assert_eq!(told.stage(), Stage::Opening);
        hear(&mut told, &["o"]);
        assert_eq!(told.stage(), Stage::Open);
        told.check(&file(&[])).expect("nothing was said");
    }
}
