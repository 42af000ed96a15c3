//! The target `rebuild_rows`: the content of its corpus, and its canaries.

use std::collections::BTreeSet;

use crashpoint::{CheckpointRow, IllegalEvent, LogFault, RebuildError, RunState, rebuild};
use crashpoint_fuzz::{Verdict, check_rebuild, logs, rebuild_rows, rows, write_rows};

use crate::corpus::corpus;
use crate::damage::{SplitMix, damaged};

#[test]
fn the_corpus_has_logs_of_both_verdicts() {
    let verdicts: Vec<_> = corpus("rebuild_rows")
        .iter()
        .map(|(_, input)| rebuild_rows(input))
        .collect();
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    let (accepted, rejected) = (count(Verdict::Accepted), count(Verdict::Rejected));
    println!("rebuild_rows: {accepted} inputs accepted, {rejected} rejected");
    assert!(accepted > 0 && rejected > 0);
}

#[test]
fn every_log_has_its_verdict() {
    for log in logs() {
        assert_eq!(rebuild_rows(&log.input), log.verdict, "{}", log.name);
    }
}

#[test]
fn written_rows_are_read_back() {
    for (path, input) in corpus("rebuild_rows") {
        let rows = rows(&input);
        assert_eq!(
            crashpoint_fuzz::rows(&write_rows(&rows)),
            rows,
            "{}",
            path.display()
        );
    }
}

#[test]
fn damaged_inputs_hold() {
    let corpus = corpus("rebuild_rows");
    let mut draw = SplitMix(0x5eed);
    let (mut accepted, mut rejected) = (0, 0);
    let mut faults = BTreeSet::new();
    for _ in 0..20_000 {
        let (_, input) = &corpus[draw.below(corpus.len())];
        let input = damaged(input, &mut draw);
        match rebuild_rows(&input) {
            Verdict::Accepted => accepted += 1,
            Verdict::Rejected => rejected += 1,
        }
        if let Err(error) = rebuild(&rows(&input)) {
            faults.insert(word(&error));
        }
    }
    println!("rebuild_rows: {accepted} damaged inputs accepted, {rejected} rejected: {faults:?}");
    assert!(accepted > 1000 && rejected > 1000);
    assert!(faults.len() > 10, "{faults:?}");
}

#[test]
#[should_panic(expected = "the error names the first refused row")]
fn canary_a_rebuild_that_ignores_rows_after_the_end_is_found() {
    let ignores_the_last = |rows: &[CheckpointRow]| match rebuild(rows) {
        Err(RebuildError {
            fault: LogFault::Illegal(IllegalEvent::AfterTerminal),
            ..
        }) => rebuild(&rows[..rows.len() - 1]),
        other => other,
    };
    for log in logs() {
        check_rebuild(&rows(&log.input), ignores_the_last);
    }
}

#[test]
#[should_panic(expected = "the same rows, the same answer")]
fn canary_a_rebuild_with_state_is_found() {
    let calls = std::cell::Cell::new(0);
    let with_state = |rows: &[CheckpointRow]| {
        calls.set(calls.get() + 1);
        if calls.get() % 2 == 0 {
            Ok(RunState::new())
        } else {
            rebuild(rows)
        }
    };
    for log in logs() {
        check_rebuild(&rows(&log.input), with_state);
    }
}

/// The kind of an error, without its details.
fn word(error: &RebuildError) -> String {
    let debug = format!("{:?}", error.fault);
    let words = debug.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).take(2).collect()
}
