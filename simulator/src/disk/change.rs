//! A change of a file's content, and what it makes of the pages.

use std::io;

use crate::disk::pages::{Pages, Write, mix};

/// A change of a file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Write(Write),
    SetLen(u64),
}

impl Change {
    /// Equal changes have equal hashes.
    pub(super) fn hash(&self) -> u64 {
        match self {
            Self::SetLen(length) => mix(*length),
            Self::Write(write) => write.hash(),
        }
    }
}

impl Pages {
    pub(super) fn change(&mut self, change: &Change) -> io::Result<()> {
        match change {
            Change::SetLen(length) => self.set_len(*length),
            Change::Write(write) => self.write(write),
        }
    }

    /// A change that survives although others did not: a write beyond the end makes the file
    /// longer.
    pub(super) fn survive(&mut self, change: &Change) {
        if let Change::Write(write) = change {
            self.resize(self.len().max(write.end()));
        }
        let length = self.len();
        self.change(change).expect("the file is long enough");
        assert!(
            matches!(change, Change::SetLen(_)) || self.len() == length,
            "a write within a file does not change its length"
        );
    }

    pub(super) fn resize(&mut self, length: u64) {
        self.set_len(length)
            .expect("the length was possible before");
    }
}
