//! What a check answers, and how rows are put into words: what was expected, and what the store answered.

use std::fmt::Write;

use crashpoint::{CheckpointRow, RowKind};

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store broke the law.
    Broken(String),
    /// The harness, or the machine under it, failed.
    Harness(String),
    /// The check can't be done here.
    NotRun(String),
    /// The check could not do its minimum.
    Inconclusive(String),
}

pub(crate) type Checked = Result<(), Failure>;

/// The store broke the law.
pub(crate) fn broken(message: impl Into<String>) -> Failure {
    Failure::Broken(message.into())
}

/// Fails unless `got` is `expected`, and names the first difference. `what` says whose rows they
/// are, and when: `run "a" after the rejection`.
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
        rows_in_words(expected.len()),
        at(expected),
        rows_in_words(got.len()),
        at(got),
    );
    let _ = write!(message, " at position {index}");
    if got.len() <= SEQUENCES_SHOWN && got.len() > 1 {
        let _ = write!(message, " (got sequences {})", sequences(got));
    }
    Err(broken(message))
}

/// More would bury the message.
const SEQUENCES_SHOWN: usize = 16;
const TEXT_SHOWN: usize = 40;
const BYTES_SHOWN: usize = 8;

fn rows_in_words(count: usize) -> String {
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

/// One row in words, shortened.
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

/// An ordinary row that no other sequence has: with a blob for odd sequences.
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

/// Ordinary rows at the given sequences.
pub(crate) fn rows(sequences: impl IntoIterator<Item = u64>) -> Vec<CheckpointRow> {
    sequences.into_iter().map(row).collect()
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
