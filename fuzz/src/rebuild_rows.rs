//! The target `rebuild_rows`: any rows rebuild to a state or a typed error.

use crashpoint::protocol::decide;
use crashpoint::{CheckpointRow, Event, RebuildError, RowKind, RunState, rebuild};

use crate::{edited_log, row_bytes};

/// The verdict on a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The rows rebuild to a state.
    Accepted,
    /// A row was refused.
    Rejected,
}

/// The rows of `input`. The first byte is the mode. If it is even, the rest has the format of
/// [`write_rows`](crate::write_rows). If it is odd, the rest chooses the events of a legal log and then
/// edits it.
pub fn rows(input: &[u8]) -> Vec<CheckpointRow> {
    match input {
        [] => Vec::new(),
        [mode, rest @ ..] if mode % 2 == 0 => row_bytes::read(rest),
        [_, rest @ ..] => edited_log::rows(rest),
    }
}

/// Rebuilds the rows of `input`, and checks the answer.
///
/// # Panics
///
/// As [`check_rebuild`] says.
pub fn rebuild_rows(input: &[u8]) -> Verdict {
    check_rebuild(&rows(input), rebuild)
}

/// Checks the answer of `rebuild` for `rows`.
///
/// For every log: two calls give the same answer; it equals the state after applying row by row; every
/// prefix before the refused row is accepted; a refused row leaves the state unchanged; and a decoded
/// row encodes to the same bytes. For an accepted log, without the engine: it opens with a claim, is
/// dense from 0, starts at most one rollback and never goes forward after it, and nothing follows a
/// terminal row.
///
/// # Panics
///
/// If one of these does not hold.
pub fn check_rebuild(
    rows: &[CheckpointRow],
    rebuild: impl Fn(&[CheckpointRow]) -> Result<RunState, RebuildError>,
) -> Verdict {
    let answer = rebuild(rows);
    assert_eq!(rebuild(rows), answer, "the same rows, the same answer");

    let (state, refused) = fold(rows);
    for row in rows {
        if let Ok(event) = Event::from_row(row) {
            assert_eq!(
                event.to_row(row.sequence),
                *row,
                "a decoded row encodes to the same bytes"
            );
        }
    }
    match refused {
        None => {
            assert_eq!(answer, Ok(state), "rebuilding is applying row by row");
            check_prefixes(rows, &rebuild);
            check_shape(rows);
            Verdict::Accepted
        }
        Some((index, error)) => {
            assert_eq!(answer, Err(error), "the error names the first refused row");
            check_prefixes(&rows[..index], &rebuild);
            check_shape(&rows[..index]);
            Verdict::Rejected
        }
    }
}

/// Applies row by row, up to the first refused row.
fn fold(rows: &[CheckpointRow]) -> (RunState, Option<(usize, RebuildError)>) {
    let mut state = RunState::new();
    for (index, row) in rows.iter().enumerate() {
        let before = state.clone();
        if let Err(fault) = state.apply_row(row) {
            assert_eq!(state, before, "a refused row changes nothing");
            let sequence = row.sequence;
            return (state, Some((index, RebuildError { sequence, fault })));
        }
        assert_ne!(state, before, "an accepted row changes the state");
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
        assert!(!prefix.is_terminal(), "no row follows a terminal row");
    }
}

/// Checks the shape of a legal log by the kinds of its rows alone.
fn check_shape(rows: &[CheckpointRow]) {
    let Some(first) = rows.first() else { return };
    assert_eq!(first.kind, RowKind::Claim, "the first row is a claim");
    let dense = (0..).zip(rows).all(|(index, row)| row.sequence == index);
    assert!(dense, "the rows are dense from 0");
    let mut rolling_back = false;
    for row in rows {
        let legal = match row.kind {
            RowKind::Claim => true,
            RowKind::Compensated | RowKind::CompensationFailed | RowKind::RolledBack => {
                rolling_back
            }
            RowKind::RollbackStart => !std::mem::replace(&mut rolling_back, true),
            _ => !rolling_back,
        };
        assert!(legal, "{} at sequence {}", row.kind, row.sequence);
    }
}
