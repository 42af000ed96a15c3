//! The tables of a store's file, and the way to write to them.

use redb::{TableDefinition, WriteTransaction};

/// The rows, by run and sequence, in the bytes of `row_format.rs`.
pub(super) const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

/// The description of the file.
pub(super) const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
pub(super) const ABOUT_FORMAT: &str = "format";

/// Begins a write transaction with a two-phase commit; there is no other way to one. If the header were
/// written in the same flush as the pages it points to, a failed sync and a later power loss would lose
/// the file.
pub(super) fn begin(redb: &redb::Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = redb.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}
