//! A row as bytes: fields behind their lengths.

use crashpoint::{CheckpointRow, RowKind};

pub(crate) fn encode(row: &CheckpointRow) -> Vec<u8> {
    let mut bytes = Vec::new();
    let kind = row.kind.to_string();
    for field in [
        kind.as_bytes(),
        row.state.as_bytes(),
        row.task_id.as_bytes(),
    ] {
        put(&mut bytes, field);
    }
    // No blob and an empty blob differ.
    if let Some(blob) = &row.output_blob {
        put(&mut bytes, blob);
    }
    bytes
}

/// The row of a sequence; `None` if the bytes are damaged.
pub(crate) fn decode(sequence: u64, mut bytes: &[u8]) -> Option<CheckpointRow> {
    let kind: RowKind = text(&mut bytes)?.parse().ok()?;
    let (state, task) = (text(&mut bytes)?, text(&mut bytes)?);
    let mut row = CheckpointRow::new(sequence, state, task);
    row.kind = kind;
    if !bytes.is_empty() {
        row.output_blob = Some(take(&mut bytes)?.to_vec());
    }
    bytes.is_empty().then_some(row)
}

pub(crate) fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend((field.len() as u64).to_be_bytes());
    bytes.extend(field);
}

pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (field, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(field)
}

pub(crate) fn text(bytes: &mut &[u8]) -> Option<String> {
    String::from_utf8(take(bytes)?.to_vec()).ok()
}

/// The key of a row: the id behind its length, then the sequence. Keys of one run are neighbours, in order.
pub(crate) fn key(id: &str, sequence: u64) -> Vec<u8> {
    let mut key = prefix(id);
    key.extend(sequence.to_be_bytes());
    key
}

/// What the keys of a run begin with.
pub(crate) fn prefix(id: &str) -> Vec<u8> {
    let mut prefix = Vec::new();
    put(&mut prefix, id.as_bytes());
    prefix
}

/// The sequence at the end of a key.
pub(crate) fn sequence_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk()?))
}
