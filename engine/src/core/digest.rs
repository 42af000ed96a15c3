//! A digest of the rows of a log, extended row by row.
//!
//! A life compares the log that it reads back with the log that it wrote without keeping its rows.
//! The digest never leaves the process, and what it tells apart are logs of lives with different
//! nonces, not of an adversary: 64 bits of the standard library's hash are enough, at a fraction of
//! the cost that a cryptographic one adds to every transition.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::recovery::CheckpointRow;

/// The chained hash of a sequence of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LogDigest(u64);

impl LogDigest {
    /// The digest of no rows.
    pub(super) const EMPTY: Self = Self(0);

    pub(super) fn of(rows: &[CheckpointRow]) -> Self {
        rows.iter().fold(Self::EMPTY, Self::extended)
    }

    /// The digest of the same rows and one more.
    pub(super) fn extended(self, row: &CheckpointRow) -> Self {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        row.hash(&mut hasher);
        Self(hasher.finish())
    }
}
