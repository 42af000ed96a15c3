//! The model of a soak accepts correct files and names the faults of others.

use std::collections::BTreeMap;

use crashpoint::CheckpointRow;
use crashpoint_benches::{ROWS_OF_A_RUN, RunId, SoakModel, Stage, row_of};

type File = BTreeMap<RunId, Vec<CheckpointRow>>;

fn model(lines: &[&str]) -> SoakModel {
    let mut model = SoakModel::default();
    record(&mut model, lines);
    model
}

fn record(model: &mut SoakModel, lines: &[&str]) {
    for line in lines {
        model.record(line).expect("the report is valid");
    }
}

/// A file in which each of these runs has this number of rows.
fn file(runs: &[(&str, u64)]) -> File {
    let run = |(id, count): &(&str, u64)| {
        let rows = (0..*count).map(|sequence| row_of(id, sequence)).collect();
        (id.parse().expect("an id"), rows)
    };
    runs.iter().map(run).collect()
}

/// Every row of a run is acknowledged.
fn whole(model: &mut SoakModel, id: &str) {
    for sequence in 0..ROWS_OF_A_RUN {
        record(model, &[&format!("a {id} {sequence}")]);
    }
}

#[test]
fn acknowledged_rows_are_required_and_unacknowledged_rows_are_allowed() {
    let lines = ["s", "o", "a 0-5-0 0", "a 0-5-0 1"];
    for count in 2..=ROWS_OF_A_RUN {
        let checked = model(&lines).check(&file(&[("0-5-0", count)]));
        assert_eq!(checked, Ok(()), "{count} rows");
    }
    let unheard = model(&lines).check(&file(&[("0-5-0", 2), ("0-6-0", 3)]));
    assert_eq!(unheard, Ok(()), "no process reported the second run");
}

#[test]
fn a_row_that_is_missing_after_the_kill_is_noticed() {
    let mut model = model(&["a 0-5-0 0", "a 0-5-0 1"]);
    let lost = model
        .check(&file(&[("0-5-0", 1)]))
        .expect_err("a row is lost");
    assert!(lost.starts_with("run 0-5-0 has 1 rows"), "{lost}");
}

#[test]
fn a_run_that_is_missing_after_the_kill_is_noticed() {
    let lost = model(&["a 0-5-0 0"]).check(&file(&[]));
    assert!(lost.is_err());
}

// The parent opened the file after each kill, which repaired it, and cleared every run. So no child
// ever recovered what a kill had left, and nothing noticed a row that a later recovery lost. Now an
// acknowledged row is required after every kill, until its run is cleared.
#[test]
fn a_row_that_is_missing_after_a_second_kill_is_noticed() {
    let right = file(&[("0-5-0", 2)]);
    let mut model = model(&["s", "o", "a 0-5-0 0", "a 0-5-0 1"]);
    model.check(&right).expect("the first process left it");
    record(&mut model, &["s"]);
    model
        .check(&right)
        .expect("the second one was killed too early");
    assert_eq!(model.survived(), 2);
    assert_eq!(model.process(), 2);
    let lost = model
        .check(&file(&[("0-5-0", 1)]))
        .expect_err("a row is lost");
    assert!(lost.starts_with("run 0-5-0 has 1 rows"), "{lost}");
}

#[test]
fn an_unacknowledged_row_stays_once_it_was_found() {
    let seen = file(&[("0-5-0", 3)]);
    for (after, is_right) in [(2, false), (3, true), (4, false)] {
        let mut model = model(&["a 0-5-0 0"]);
        model
            .check(&seen)
            .expect("more rows than were acknowledged");
        let checked = model.check(&file(&[("0-5-0", after)]));
        assert_eq!(checked.is_ok(), is_right, "{after} rows: {checked:?}");
    }
}

#[test]
fn a_row_that_was_not_sent_is_noticed() {
    let mut other = file(&[("0-5-0", 2)]);
    let rows = other.values_mut().next().expect("a run");
    rows[1] = row_of("0-5-1", 1);
    let wrong = model(&["a 0-5-0 0"]).check(&other);
    assert_eq!(
        wrong,
        Err("run 0-5-0 has a row at 1 that was not sent".to_owned())
    );
    let more = model(&[]).check(&file(&[("0-5-0", ROWS_OF_A_RUN + 1)]));
    assert!(more.is_err(), "more than a run has");
}

#[test]
fn a_row_that_is_there_twice_is_noticed() {
    let mut twice = file(&[("0-5-0", 2)]);
    let rows = twice.values_mut().next().expect("a run");
    rows.insert(1, rows[0].clone());
    assert!(model(&[]).check(&twice).is_err());
}

#[test]
fn a_clear_that_was_begun_removes_all_rows_or_none() {
    for (count, is_right) in [(0, true), (1, false), (23, false), (24, true)] {
        // Most acknowledgements were not reported before the kill.
        let mut own = model(&["a 0-5-0 0", "b 0-5-0"]);
        let checked = own.check(&file(&[("0-5-0", count)]));
        assert_eq!(checked.is_ok(), is_right, "{count} rows: {checked:?}");
    }
    for (count, is_right) in [(0, true), (1, false), (3, true), (4, false)] {
        let mut later = model(&[]);
        later.check(&file(&[("0-5-0", 3)])).expect("a run is left");
        record(&mut later, &["b 0-5-0"]);
        let checked = later.check(&file(&[("0-5-0", count)]));
        assert_eq!(checked.is_ok(), is_right, "{count} rows: {checked:?}");
    }
}

#[test]
fn a_clear_that_did_not_happen_does_not_happen_later() {
    let left = file(&[("0-5-0", ROWS_OF_A_RUN)]);
    let mut model = model(&["a 0-5-0 0", "b 0-5-0"]);
    model.check(&left).expect("the kill came before the clear");
    assert!(model.check(&file(&[])).is_err());
}

#[test]
fn a_run_that_is_there_after_its_clear_is_noticed() {
    let back = file(&[("0-5-0", 1), ("0-5-1", 1)]);
    let cleared = Err("run 0-5-0 is present after its clear".to_owned());
    let next = || {
        let mut model = SoakModel::default();
        whole(&mut model, "0-5-0");
        record(&mut model, &["b 0-5-0", "c 0-5-0", "a 0-5-1 0"]);
        model
    };
    assert_eq!(next().check(&back), cleared, "after the kill");
    let mut model = next();
    model.check(&file(&[("0-5-1", 1)])).expect("it is gone");
    assert_eq!(model.check(&back), cleared, "after a later kill");
    assert_eq!(model.record("b 0-5-0"), cleared, "a later process has it");
}

#[test]
fn a_run_of_an_earlier_process_that_was_cleared_by_a_later_one_stays_away() {
    let left = file(&[("0-5-0", 3)]);
    let mut model = model(&[]);
    model.check(&left).expect("a run is left");
    record(&mut model, &["s", "o", "b 0-5-0", "c 0-5-0"]);
    let back = model.check(&left);
    assert_eq!(back, Err("run 0-5-0 is present after its clear".to_owned()));
}

#[test]
fn an_invalid_report_ends_the_soak() {
    for line in [
        "wrong: a second row 0 of 0-5-0: None",
        "a 0-5-0 24",
        "a 1-5-0 0",
        "a order-1 0",
        "c 0-5-0",
        "",
    ] {
        assert!(SoakModel::default().record(line).is_err(), "{line:?}");
    }
}

#[test]
fn each_process_starts_before_it_opens_the_store() {
    let mut model = SoakModel::default();
    for _ in 0..2 {
        assert_eq!(model.stage(), Stage::Starting);
        record(&mut model, &["s"]);
        assert_eq!(model.stage(), Stage::Opening);
        record(&mut model, &["o"]);
        assert_eq!(model.stage(), Stage::Open);
        model
            .check(&file(&[]))
            .expect("no process reported anything");
    }
}
