//! A checkpoint store in plain files, one for each row: a complete backend to start from.
//!
//! # Layout
//!
//! ```text
//! lock                            held while a store is open
//! draft, draft-run, trash         work in progress, which no load reads
//! 0c2f8a.../                      the hash of an id
//!     0/, 1/, ...                 one run each; several if their ids have the same hash
//!         id                      the id, since the hash only says where to look
//!         00000000000000000007    the row of sequence 7
//! ```
//!
//! # How the contract is kept
//!
//! - An append writes a draft, syncs it, and *links* it to its name. The link fails if the name is taken,
//!   which rejects a second row. It syncs the directory before it returns.
//! - A clear is one rename, so a crash leaves the whole run or nothing.
//! - Rows have a checksum, so loading a row with a flipped bit is an error.
//! - After an error in a write the store returns errors until it is opened again, since nobody knows what
//!   a failed sync has left.
//! - One thread performs the operations in the order of their beginning. So no operation blocks the
//!   executor or needs a runtime, and no append lands after a later load or clear. With the lock this
//!   makes an exclusive scope.
//!
//! # What is missing
//!
//! Each append costs several syncs. This is an example, not a fast store.
//!
//! `tests/conformance.rs` certifies it.

mod files;
mod row_file;
mod worker;

use std::fmt;
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
    /// If the directory can't be read or written, or a store is open in it.
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

impl fmt::Debug for FileCheckpointStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCheckpointStore")
            .finish_non_exhaustive()
    }
}
