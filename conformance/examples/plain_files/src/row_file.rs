//! The bytes of a row's file: a line with the kind and three lengths, then state, task and blob.

use crashpoint_engine::{CheckpointRow, RowKind};

/// The contents of the file of `row`. Its sequence is the file's name.
pub(crate) fn encode(row: &CheckpointRow) -> Vec<u8> {
    let (state, task, kind) = (row.state.as_bytes(), row.task_id.as_bytes(), row.kind);
    let blob = row.output_blob.as_deref();
    // No blob and an empty blob are two things.
    let blob_length = blob.map_or_else(|| "-".to_owned(), |blob| blob.len().to_string());
    let head = format!("{kind} {} {} {blob_length}\n", state.len(), task.len());
    [head.as_bytes(), state, task, blob.unwrap_or_default()].concat()
}

/// The row in a file, or `None` where the file is not whole.
pub(crate) fn decode(sequence: u64, bytes: &[u8]) -> Option<CheckpointRow> {
    let head_end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (head, rest) = (
        std::str::from_utf8(&bytes[..head_end]).ok()?,
        &bytes[head_end + 1..],
    );
    let mut words = head.split(' ');
    let kind: RowKind = words.next()?.parse().ok()?;
    let (state, rest) = rest.split_at_checked(words.next()?.parse().ok()?)?;
    let (task, blob) = rest.split_at_checked(words.next()?.parse().ok()?)?;
    let output_blob = match words.next()? {
        "-" if blob.is_empty() => None,
        length if length.parse() == Ok(blob.len()) => Some(blob.to_vec()),
        _ => return None,
    };
    let state = String::from_utf8(state.to_vec()).ok()?;
    let task = String::from_utf8(task.to_vec()).ok()?;
    let mut row = CheckpointRow::new(sequence, state, task);
    row.kind = kind;
    row.output_blob = output_blob;
    Some(row)
}
