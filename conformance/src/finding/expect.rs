//! The result of a check, and the text of its messages: what was expected, and what the store answered.

use std::fmt::{Display, Write};

use crashpoint::{CheckpointRow, RowKind};
use tokio::task::JoinError;

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store broke the law.
    Broken(String),
    /// An operation of the store did not end before its deadline.
    Late(String),
    /// The harness, or the machine under it, failed.
    Harness(String),
    /// The check can't run here.
    NotRun(String),
    /// The check could not do its minimum of rounds.
    Inconclusive(String),
}

pub(crate) type Checked = Result<(), Failure>;

/// The store broke the law.
pub(crate) fn broken(message: impl Into<String>) -> Failure {
    Failure::Broken(message.into())
}

/// `operation` had to succeed and returned an error.
pub(crate) fn failed(operation: &str, error: &dyn Display) -> Failure {
    broken(format!(
        "{operation}: expected Ok, got the error \"{error}\""
    ))
}

/// An append that had to succeed returned an error.
pub(crate) fn append_failed(row: &CheckpointRow, id: &str, error: &dyn Display) -> Failure {
    let (row, id) = (describe(row), quote(id));
    failed(&format!("append of {row} to run {id}"), error)
}

/// An append at a taken sequence returned Ok.
pub(crate) fn not_rejected(row: &CheckpointRow, id: &str) -> Failure {
    let (row, id) = (describe(row), quote(id));
    broken(format!(
        "append of {row} to run {id}, where the sequence is taken: expected a rejection, got Ok"
    ))
}

/// Fails unless `got` is `expected`, and names the first difference. `what` begins the message:
/// `run "a" after the rejection`.
pub(crate) fn same_rows(
    what: impl FnOnce() -> String,
    expected: &[CheckpointRow],
    got: &[CheckpointRow],
) -> Checked {
    if expected == got {
        return Ok(());
    }
    let index = expected
        .iter()
        .zip(got)
        .position(|(expected, got)| expected != got)
        .unwrap_or_else(|| expected.len().min(got.len()));
    let at = |rows: &[CheckpointRow]| {
        rows.get(index)
            .map_or_else(|| "no row".to_owned(), describe)
    };
    let mut message = format!(
        "{}: expected {} with {}, got {} with {}",
        what(),
        rows_in_words(expected.len() as u64),
        at(expected),
        rows_in_words(got.len() as u64),
        at(got),
    );
    let _ = write!(message, " at position {index}");
    if got.len() <= SEQUENCES_SHOWN && got.len() > 1 {
        let _ = write!(message, " (got sequences {})", sequences(got));
    }
    Err(broken(message))
}

/// More would hide the message.
const SEQUENCES_SHOWN: usize = 16;
const TEXT_SHOWN: usize = 40;
const BYTES_SHOWN: usize = 8;

/// A number of rows.
pub(crate) fn rows_in_words(count: u64) -> String {
    match count {
        0 => "an empty run".to_owned(),
        1 => "1 row".to_owned(),
        more => format!("{more} rows"),
    }
}

pub(crate) fn sequences(rows: &[CheckpointRow]) -> String {
    let words: Vec<String> = rows.iter().map(|row| row.sequence.to_string()).collect();
    words.join(", ")
}

/// Describes a row, shortened.
pub(crate) fn describe(row: &CheckpointRow) -> String {
    let (sequence, kind) = (row.sequence, row.kind);
    let (state, task) = (quote(&row.state), quote(&row.task_id));
    let blob = match &row.output_blob {
        None => "no blob".to_owned(),
        Some(bytes) => blob_in_words(bytes),
    };
    format!("{{sequence {sequence}, state {state}, task {task}, {kind}, {blob}}}")
}

fn blob_in_words(bytes: &[u8]) -> String {
    let mut words = format!("blob of {} bytes", bytes.len());
    for byte in bytes.iter().take(BYTES_SHOWN) {
        let _ = write!(words, " {byte:02x}");
    }
    if bytes.len() > BYTES_SHOWN {
        words.push_str(" ..");
    }
    words
}

/// A text in quotes, shortened.
pub(crate) fn quote(text: &str) -> String {
    if text.chars().count() <= TEXT_SHOWN {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(TEXT_SHOWN).collect();
    format!("{start:?}.. ({} bytes)", text.len())
}

/// The ordinary row of a sequence, with a blob if the sequence is odd.
pub(crate) fn row(sequence: u64) -> CheckpointRow {
    marked(sequence, "plain")
}

/// A row at `sequence` that differs from every row with another mark.
pub(crate) fn marked(sequence: u64, mark: &str) -> CheckpointRow {
    let row = CheckpointRow::new(
        sequence,
        format!("state {mark} {sequence}"),
        format!("task {mark}"),
    );
    if sequence.is_multiple_of(2) {
        return row;
    }
    row.with_blob(
        RowKind::CompensationCompletion,
        format!("{mark} blob").into_bytes(),
    )
}

/// A row that takes several pages, blocks or packets, every byte of it derived from its sequence.
pub(crate) fn wide(sequence: u64) -> CheckpointRow {
    const BYTES: usize = 40_000;
    let letter = char::from(b'a' + (sequence % 26) as u8);
    let state: String = std::iter::repeat_n(letter, 300).collect();
    let blob = vec![letter as u8; BYTES];
    CheckpointRow::new(sequence, state.clone(), state).with_output(blob)
}

/// Ordinary rows at the given sequences.
pub(crate) fn rows(sequences: impl IntoIterator<Item = u64>) -> Vec<CheckpointRow> {
    sequences.into_iter().map(row).collect()
}

/// Why a task did not end: the message of its panic.
pub(crate) fn task_error(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => panic_message(&*payload),
        Err(error) => error.to_string(),
    }
}

/// The message of a panic.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
