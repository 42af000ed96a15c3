//! The target `rebuild_rows`: whatever the rows are, rebuilding them gives a state or a typed error.

use crashpoint::protocol::decide;
use crashpoint::{CheckpointRow, Event, RebuildError, RowKind, RunState, rebuild};

use crate::{program, spelling};

/// What became of a log that held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The rows amount to a state.
    Accepted,
    /// A row was refused.
    Rejected,
}

/// The rows that `input` stands for. The first byte, if it is even, says that they are spelt out
/// (the rest is what [`spell`](crate::spell) writes, which a fuzzer then damages); if it is odd,
/// that the rest chooses the events of a legal log and then edits it.
pub fn rows(input: &[u8]) -> Vec<CheckpointRow> {
    match input {
        [] => Vec::new(),
        [mode, rest @ ..] if mode % 2 == 0 => spelling::read(rest),
        [_, rest @ ..] => program::rows(rest),
    }
}

/// Rebuilds the rows that `input` stands for, and checks what came of it.
///
/// # Panics
///
/// Where a promise does not hold: see [`check_rebuild`].
pub fn rebuild_rows(input: &[u8]) -> Verdict {
    check_rebuild(&rows(input), rebuild)
}

/// Checks what `rebuild` makes of `rows`.
///
/// Of every log: it gives the same answer twice, the answer is what applying row by row comes to,
/// every prefix before the refused row is accepted, a refused row leaves the state as it was, and
/// a row that says something is written again byte for byte. Of an accepted log, without asking the
/// engine: it opens with a claim, is dense from 0, turns around once and never goes forward
/// again, and nothing follows a terminal row.
///
/// # Panics
///
/// Where one of these does not hold.
pub fn check_rebuild(
    rows: &[CheckpointRow],
    rebuild: impl Fn(&[CheckpointRow]) -> Result<RunState, RebuildError>,
) -> Verdict {
    let answer = rebuild(rows);
    assert_eq!(rebuild(rows), answer, "the same rows, the same answer");

    let (state, refused) = fold(rows);
    for row in rows {
        if let Ok(event) = Event::from_row(row) {
            assert_eq!(event.to_row(row.sequence), *row, "a row is written again");
        }
    }
    match refused {
        None => {
            assert_eq!(answer, Ok(state), "rebuilding is applying row by row");
            check_prefixes(rows, &rebuild);
            check_shape(rows);
            Verdict::Accepted
        }
        Some((place, error)) => {
            assert_eq!(answer, Err(error), "the first row that is refused is named");
            check_prefixes(&rows[..place], &rebuild);
            check_shape(&rows[..place]);
            Verdict::Rejected
        }
    }
}

/// Applies row by row, up to the first that is refused.
fn fold(rows: &[CheckpointRow]) -> (RunState, Option<(usize, RebuildError)>) {
    let mut state = RunState::new();
    for (place, row) in rows.iter().enumerate() {
        let before = state.clone();
        if let Err(fault) = state.apply_row(row) {
            assert_eq!(state, before, "a refused row changes nothing");
            let sequence = row.sequence;
            return (state, Some((place, RebuildError { sequence, fault })));
        }
        assert_ne!(state, before, "a row that is taken changes the state");
        assert_eq!(
            state.is_terminal(),
            state.ended().is_some_and(|ended| ended.is_terminal())
        );
        let _total = decide(&state);
    }
    (state, None)
}

fn check_prefixes(
    rows: &[CheckpointRow],
    rebuild: impl Fn(&[CheckpointRow]) -> Result<RunState, RebuildError>,
) {
    for length in 0..rows.len() {
        let prefix = rebuild(&rows[..length]).expect("a prefix of a legal log is legal");
        assert_eq!(prefix.next_sequence(), length as u64);
        assert!(!prefix.is_terminal(), "a row follows a terminal one");
    }
}

/// The shape of a legal log by the kinds of its rows alone.
fn check_shape(rows: &[CheckpointRow]) {
    let Some(first) = rows.first() else { return };
    assert_eq!(first.kind, RowKind::Claim, "the first row is a claim");
    let dense = (0..).zip(rows).all(|(place, row)| row.sequence == place);
    assert!(dense, "the rows are dense from 0");
    let mut turned = false;
    for row in rows {
        let legal = match row.kind {
            RowKind::Claim => true,
            RowKind::Compensated | RowKind::CompensationFailed | RowKind::RolledBack => turned,
            RowKind::RollbackStart => !std::mem::replace(&mut turned, true),
            _ => !turned,
        };
        assert!(legal, "{} at sequence {}", row.kind, row.sequence);
    }
}
