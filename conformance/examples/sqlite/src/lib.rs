//! A checkpoint store in a SQLite database: what a backend over SQL has to mind.
//!
//! # How the contract is kept
//!
//! - **Order and duplicates** are the primary key's: `(id, sequence)`. The insert says nothing about
//!   conflicts, so a second row at a sequence fails, and the first one stays. `INSERT OR REPLACE`, or
//!   a look before the insert, would each break a law.
//! - **Ids** are blobs, compared byte by byte: no collation folds case or trailing blanks, no pattern
//!   matches a neighbour.
//! - **Sequences** are unsigned and SQLite's integers are not. They are stored shifted by 2^63, so
//!   that the whole range sorts as it counts.
//! - **Blobs**: no blob is `NULL`, and an empty one is not.
//! - **Durability** is a write-ahead log with `synchronous = FULL`: a commit returns when the log is
//!   synced. `NORMAL`, which many guides advise for such a log, loses the newest rows with the power.
//! - **Checkpoints** of the log are the store's own. Those that SQLite starts by itself belong to a
//!   commit but tell nobody that they failed.
//! - **After an error** other than a duplicate the store answers errors until it is opened again,
//!   since nobody knows what a failed sync has left.
//! - **One thread** owns the connection and performs the operations in the order in which they were
//!   begun. So the executor is never blocked, no runtime is needed, and nothing lands after a later
//!   load or clear. The database is locked for as long as it is open; together that makes an exclusive
//!   scope.
//!
//! # What is not
//!
//! One transaction for each append: rows a second are syncs a second. Rows have no checksum, and
//! SQLite's pages have none by default: a flipped bit in a blob is not noticed.
//!
//! `tests/conformance.rs` is all that it takes to certify it.

mod rows;
mod worker;

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
    /// Where the file can't be read or written, is no such database, or is open in a store already.
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
