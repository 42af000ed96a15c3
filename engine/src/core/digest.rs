//! A digest of the rows of a log, extended row by row.
//!
//! A life compares the log that it reads back with the log that it wrote without keeping its rows.

use sha2::{Digest, Sha256};

use crate::recovery::CheckpointRow;

/// The chained SHA-256 of a sequence of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LogDigest([u8; 32]);

impl LogDigest {
    /// The digest of no rows.
    pub(super) const EMPTY: Self = Self([0; 32]);

    pub(super) fn of(rows: &[CheckpointRow]) -> Self {
        rows.iter().fold(Self::EMPTY, Self::extended)
    }

    /// The digest of the same rows and one more.
    pub(super) fn extended(self, row: &CheckpointRow) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(self.0);
        hasher.update(row.sequence.to_le_bytes());
        hasher.update([row.kind.code(), u8::from(row.output_blob.is_some())]);
        let blob = row.output_blob.as_deref().unwrap_or_default();
        for field in [row.state.as_bytes(), row.task_id.as_bytes(), blob] {
            hasher.update((field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
        Self(hasher.finalize().into())
    }
}
