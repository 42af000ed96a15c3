//! A digest of the rows of a log, extended row by row.
//!
//! With it a life compares the log that it reads back with the log that it wrote, and keeps no rows. The
//! digest never leaves the process. It distinguishes logs of lives with different nonces, not logs of
//! an adversary: 64 bits of the standard library's hash are enough, and a cryptographic hash would cost
//! much more on every transition.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::core::row::CheckpointRow;

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

    /// The digest of these rows followed by `row`.
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
