//! The encoding of a row in the file: format 1.
//!
//! ```text
//! key    workflow_id: string, sequence: u64   (a tuple of redb's)
//! value  kind           1 byte, RowKind::code
//!        blob present   1 byte, 0 or 1
//!        state          length: 4 bytes, then UTF-8
//!        task_id        length: 4 bytes, then UTF-8
//!        output_blob    the rest except for the last 4 bytes
//!        checksum       4 bytes, CRC-32 (IEEE)
//! ```
//!
//! Numbers are little-endian. The checksum is over the length of the id (8 bytes), the id, the
//! sequence (8 bytes) and the value before it: redb has checksums of its pages and does not verify
//! them when it reads, and a value that was moved to another key has to be noticed as well.

use crate::recovery::{CheckpointRow, RowKind};

/// The format of the file, as its own record says.
pub(super) const FORMAT: u64 = 1;

/// The longest value, in bytes: 1 GiB. One of redb's own can be about three times as long.
pub(super) const VALUE_BYTES_MAX: usize = 1 << 30;

const CHECKSUM_BYTES: usize = 4;

const _: () = assert!(
    VALUE_BYTES_MAX <= u32::MAX as usize,
    "the length of a text has four bytes"
);

/// Why a value can't be decoded as a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The value or its key has changed since it was written.
    #[error("its checksum is {found:08x} and should be {expected:08x}")]
    Checksum {
        /// The checksum of the content.
        expected: u32,
        /// The stored checksum.
        found: u32,
    },
    /// It ends too early.
    #[error("it is cut short")]
    Short,
    /// Its kind is unknown.
    #[error("unknown row kind {0}")]
    Kind(u8),
    /// Its blob flag is neither 0 nor 1, or does not fit the content.
    #[error("invalid blob flag {0}")]
    BlobFlag(u8),
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
}

/// The value of a row; none if it would be longer than 1 GiB.
pub fn encode(workflow_id: &str, row: &CheckpointRow) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    encode_into(&mut value, workflow_id, row).map(|()| value)
}

/// Replaces the content of `value` by the value of a row; none if it would be longer than 1 GiB.
pub(super) fn encode_into(
    value: &mut Vec<u8>,
    workflow_id: &str,
    row: &CheckpointRow,
) -> Option<()> {
    value.clear();
    let blob = row.output_blob.as_deref();
    let fixed = 2 + 2 * size_of::<u32>() + CHECKSUM_BYTES;
    let parts = [
        row.state.len(),
        row.task_id.len(),
        blob.map_or(0, <[u8]>::len),
    ];
    let length = parts
        .iter()
        .try_fold(fixed, |sum, part| sum.checked_add(*part))?;
    if length > VALUE_BYTES_MAX {
        return None;
    }
    value.reserve(length);
    value.push(row.kind.code());
    value.push(u8::from(blob.is_some()));
    for text in [&row.state, &row.task_id] {
        value.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
        value.extend(text.as_bytes());
    }
    value.extend(blob.unwrap_or_default());
    value.extend(checksum(workflow_id, row.sequence, value).to_le_bytes());
    assert_eq!(value.len(), length, "a value is as long as its parts");
    Some(())
}

/// The row that [`encode`] wrote under this key.
///
/// # Errors
///
/// If [`encode`] wrote no such value under this key.
pub fn decode(workflow_id: &str, sequence: u64, value: &[u8]) -> Result<CheckpointRow, Damage> {
    let (content, found) = value.split_last_chunk().ok_or(Damage::Short)?;
    let found = u32::from_le_bytes(*found);
    let expected = checksum(workflow_id, sequence, content);
    if found != expected {
        return Err(Damage::Checksum { expected, found });
    }
    let (&[kind, flag], mut rest) = content.split_first_chunk().ok_or(Damage::Short)?;
    let kind = RowKind::try_from(kind).map_err(|_| Damage::Kind(kind))?;
    let state = take_text(&mut rest)?;
    let task_id = take_text(&mut rest)?;
    let output_blob = match flag {
        0 if rest.is_empty() => None,
        1 => Some(rest.to_vec()),
        other => return Err(Damage::BlobFlag(other)),
    };
    Ok(CheckpointRow {
        sequence,
        state,
        task_id,
        output_blob,
        kind,
    })
}

fn take_text(rest: &mut &[u8]) -> Result<String, Damage> {
    let (length, after) = rest.split_first_chunk().ok_or(Damage::Short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (text, after) = after.split_at_checked(length).ok_or(Damage::Short)?;
    *rest = after;
    String::from_utf8(text.to_vec()).map_err(|_| Damage::Text)
}

fn checksum(workflow_id: &str, sequence: u64, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(workflow_id.len() as u64).to_le_bytes());
    hasher.update(workflow_id.as_bytes());
    hasher.update(&sequence.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}
