//! A checkpoint store in a SQLite database, which shows what a backend over SQL must consider.
//!
//! # How the contract is kept
//!
//! - **Order and duplicates** follow from the primary key `(id, sequence)`. The insert has no conflict
//!   clause, so a second row at a sequence fails and the first stays. `INSERT OR REPLACE`, or a query
//!   before the insert, would each break a law.
//! - **Ids** are blobs, compared byte by byte: no collation folds case or trailing blanks, no pattern
//!   matches a neighbour.
//! - **Sequences** are unsigned, and SQLite's integers are signed. They are stored shifted by 2^63, which
//!   keeps their order.
//! - **Blobs**: no blob is `NULL`, and an empty blob is not.
//! - **Durability** is a write-ahead log with `synchronous = FULL`: a commit returns when the log is
//!   synced. `NORMAL`, which many guides advise for such a log, loses the newest rows in a power
//!   loss.
//! - **Checkpoints** of the log are done by the store. SQLite's automatic checkpoints are part of a commit,
//!   but report no error.
//! - **After an error** other than a duplicate the store returns errors until it is opened again, since
//!   nobody knows what a failed sync has left.
//! - **One thread** owns the connection and performs the operations in the order of their beginning. So no
//!   operation blocks the executor or needs a runtime, and no append lands after a later load or clear.
//!   The database is locked while it is open. Together this makes an exclusive scope.
//!
//! # What is missing
//!
//! Each append is a transaction with its own sync. Neither rows nor, by default, SQLite's pages have a
//! checksum, so a flipped bit in a blob goes unnoticed.
//!
//! `tests/conformance.rs` certifies it.

mod rows;
mod worker;

use std::fmt;
use std::path::Path;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};

use crate::rows::Rows;
use crate::worker::Worker;

/// A [`CheckpointStore`] in one SQLite database. Share it as an `Arc`.
pub struct SqliteCheckpointStore {
    worker: Worker<Rows>,
    scope: ScopeId,
}

impl SqliteCheckpointStore {
    /// Opens the database in the file `path`, or creates it there. This blocks.
    ///
    /// # Errors
    ///
    /// If the file can't be read or written, is not such a database, or is open in a store.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self {
            worker: Worker::start(Rows::open(path.as_ref())?)?,
            scope: ScopeId::new(),
        })
    }
}

#[checkpoint_store]
impl CheckpointStore for SqliteCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        self.worker
            .perform(move |rows| rows.append(&id, &row))
            .await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let id = workflow_id.to_owned();
        self.worker.perform(move |rows| rows.load(&id)).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        self.worker.perform(move |rows| rows.clear(&id)).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}

impl fmt::Debug for SqliteCheckpointStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteCheckpointStore")
            .finish_non_exhaustive()
    }
}
