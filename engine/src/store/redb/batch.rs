//! The bounds of a batch: which waiting operations go into one transaction.

use std::collections::BTreeSet;

use crate::store::redb::operation::Operation;

/// The most bytes of rows in a batch. It bounds the time of a commit. A longer row makes a batch of its
/// own. `waiting.rs` bounds the bytes that wait for the next batch.
pub(super) const BYTES_MAX: usize = 4 << 20;

/// The most operations in one batch. All are answered at once, and the next batch waits for them.
pub(super) const OPERATIONS_MAX: usize = 1024;

const _: () = assert!(
    OPERATIONS_MAX > 0 && BYTES_MAX > 0,
    "an empty batch takes any operation"
);

/// The content of a batch so far, as far as it decides what may follow.
///
/// A batch performs its reads after all its writes. So it ends before a write of a run that it reads:
/// then the order can't be observed.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    operations: usize,
    bytes: usize,
    loaded: BTreeSet<String>,
    listed: bool,
}

impl Bounds {
    /// Adds the operation; false if the batch ends before it.
    pub(super) fn take(&mut self, operation: &Operation) -> bool {
        let bytes = self.bytes.saturating_add(operation.bytes());
        let full = self.operations == OPERATIONS_MAX || bytes > BYTES_MAX;
        if self.operations > 0 && (full || self.reads_what_is_written_by(operation)) {
            return false;
        }
        self.operations += 1;
        self.bytes = bytes;
        assert!(
            self.operations <= OPERATIONS_MAX,
            "a batch that is full takes nothing more"
        );
        assert!(
            self.bytes <= BYTES_MAX || self.operations == 1,
            "an operation that is longer than a batch makes a batch of its own"
        );
        match operation {
            Operation::Load { id } => _ = self.loaded.insert(id.clone()),
            Operation::List { .. } => self.listed = true,
            Operation::Append { .. } | Operation::Clear { .. } => {}
        }
        true
    }

    fn reads_what_is_written_by(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Append { id, .. } | Operation::Clear { id } => {
                self.listed || self.loaded.contains(id)
            }
            Operation::Load { .. } | Operation::List { .. } => false,
        }
    }
}
