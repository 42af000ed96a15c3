//! The format of a row's file: a line with a checksum of the rest, a line with the kind and three lengths,
//! then state, task and blob.

use crashpoint::{CheckpointRow, RowKind};

/// The contents of the file of `row`. Its sequence is the file's name.
pub(crate) fn encode(row: &CheckpointRow) -> Vec<u8> {
    let (state, task, kind) = (row.state.as_bytes(), row.task_id.as_bytes(), row.kind);
    let blob = row.output_blob.as_deref();
    // No blob and an empty blob differ.
    let blob_length = blob.map_or_else(|| "-".to_owned(), |blob| blob.len().to_string());
    let head = format!("{kind} {} {} {blob_length}\n", state.len(), task.len());
    let rest = [head.as_bytes(), state, task, blob.unwrap_or_default()].concat();
    let checksum = checksum(row.sequence, &rest);
    [format!("{checksum:016x}\n").as_bytes(), &rest].concat()
}

/// Sixteen digits and the end of the line.
const CHECKSUM_BYTES: usize = 17;

/// 64-bit FNV-1a, which includes the sequence, so that a file under the name of another row is damaged. It
/// finds flipped bits, not deliberate changes.
fn checksum(sequence: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = sequence
        .to_be_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, step);
    bytes.iter().fold(hash, step)
}

/// The row in a file; `None` if the file is damaged.
pub(crate) fn decode(sequence: u64, bytes: &[u8]) -> Option<CheckpointRow> {
    let (seal, bytes) = bytes.split_at_checked(CHECKSUM_BYTES)?;
    if seal != format!("{:016x}\n", checksum(sequence, bytes)).as_bytes() {
        return None;
    }
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
