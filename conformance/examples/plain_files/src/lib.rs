//! A checkpoint store in plain files, one for each row: a whole backend to read and to start from.
//!
//! # Layout
//!
//! ```text
//! lock                            held while a store is open
//! draft, draft-run, trash         what is under way; nobody reads it
//! 0c2f8a.../                      the hash of an id
//!     0/, 1/, ...                 one run; a second one where two ids have the same hash
//!         id                      the id itself: the hash only says where to look
//!         00000000000000000007    the row of sequence 7
//! ```
//!
//! # How the contract is kept
//!
//! - A row is written as a draft, synced, and then *linked* to its name, which fails where the name
//!   is taken: that is the rejection of a second row. The directory is synced before the append
//!   returns.
//! - A run is cleared by one rename, so a crash leaves all of it or nothing.
//! - A row has a checksum, so a bit that has turned over on the disk is an error of the load.
//! - After an error in a write the store answers errors until it is opened again, since nobody knows
//!   what a failed sync has left.
//! - One thread performs the operations in the order in which they were begun. So the executor is
//!   never blocked, no runtime is needed, and nothing lands after a later load or clear; together
//!   with the lock that makes it an exclusive scope.
//!
//! # What is not
//!
//! One append at a time costs some syncs; it is an example, not a fast store.
//!
//! `tests/conformance.rs` is all that it takes to certify it.

mod files;
mod row_file;
mod worker;

use std::path::Path;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};

use crate::files::Files;
use crate::worker::Worker;

/// A [`CheckpointStore`] in the files of one directory. Share it as an `Arc`.
pub struct FileCheckpointStore {
    worker: Worker,
    scope: ScopeId,
}

impl FileCheckpointStore {
    /// Opens the store in `directory`, or creates it there. This blocks.
    ///
    /// # Errors
    ///
    /// Where the directory can't be read or written, or a store is open in it already.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let files = Files::open(directory.as_ref())?;
        Ok(Self {
            worker: Worker::start(files)?,
            scope: ScopeId::new(),
        })
    }
}

#[checkpoint_store]
impl CheckpointStore for FileCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        let append = move |files: &mut Files| files.append(&id, &row);
        self.worker.perform(append).await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let id = workflow_id.to_owned();
        self.worker.perform(move |files| files.load(&id)).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        self.worker.perform(move |files| files.clear(&id)).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}
