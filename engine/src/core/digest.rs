//! A digest of the rows of a log, extended row by row.
//!
//! A life compares the log that it reads back with the log that it wrote without keeping its rows.
//! The digest never leaves the process, and what it tells apart are logs of lives with different
//! nonces, not of an adversary: 64 bits of the standard library's hash are enough, at a fraction of
//! the cost that a cryptographic one adds to every transition.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::recovery::CheckpointRow;

/// The chained hash of a sequence of rows, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LogDigest {
    hash: u64,
    rows: u64,
}

impl LogDigest {
    /// The digest of no rows.
    pub(super) const EMPTY: Self = Self { hash: 0, rows: 0 };

    pub(super) fn of(rows: &[CheckpointRow]) -> Self {
        rows.iter().fold(Self::EMPTY, Self::extended)
    }

    /// The digest of the same rows and one more.
    pub(super) fn extended(self, row: &CheckpointRow) -> Self {
        let mut hasher = DefaultHasher::new();
        self.hash.hash(&mut hasher);
        row.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            rows: self.rows + 1,
        }
    }

    /// The number of rows.
    pub(super) fn rows(self) -> u64 {
        self.rows
    }
}
