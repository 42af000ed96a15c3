//! Which operations go into one transaction: those that wait, in order, up to a bound.

use std::collections::BTreeSet;

use crate::store::redb::operation::Operation;

/// The most bytes of rows in one batch, and so how long one commit can take. A row that is longer makes
/// a batch of its own. What waits for the next one has a bound too, in `waiting.rs`.
pub(super) const BYTES_MAX: usize = 4 << 20;

/// The most operations in one batch. Their answers come at once, and whoever waits for the next
/// batch waits for all of them.
pub(super) const OPERATIONS_MAX: usize = 1024;

const _: () = assert!(
    OPERATIONS_MAX > 0 && BYTES_MAX > 0,
    "an empty batch takes any operation"
);

/// What is in a batch so far, as far as it says what else may be.
///
/// Within a batch everything is read after everything is written. So that nobody can tell this from
/// one operation after the other, a batch ends before a write of what it reads.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    operations: usize,
    bytes: usize,
    loaded: BTreeSet<String>,
    listed: bool,
}

impl Bounds {
    /// Takes the operation in as the next one; false where the batch ends before it.
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
