//! Correct stores of different making, which the kit must never accuse.
//!
//! Each keeps its rows as [`Rows`]: a map, a log, LMDB or fjall. A way to share them makes a store: a lock, a
//! task or a thread. `tests/conformance.rs` certifies each combination that differs.

mod bytes;
pub mod fjall_rows;
pub mod lmdb;
pub mod log;
pub mod map;
pub mod shared;

use crashpoint::{CheckpointRow, Error};

/// Rows that one caller uses at a time. Each operation happens as a whole or not at all.
pub trait Rows: Send + 'static {
    /// Adds a row.
    ///
    /// # Errors
    ///
    /// If its sequence is taken, or the rows can't be written.
    fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error>;

    /// All rows of a run, in order.
    ///
    /// # Errors
    ///
    /// If the rows can't be read.
    fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error>;

    /// Removes a run.
    ///
    /// # Errors
    ///
    /// If the rows can't be written.
    fn clear(&mut self, id: &str) -> Result<(), Error>;
}
