//! The choices at the opening of a store.

use std::path::Path;

use crate::error::Error;
use crate::runtime::{Runtime, TokioRuntime};
use crate::store::redb::RedbCheckpointStore;
use crate::store::redb::disk::{Directory, MODE_DEFAULT};

/// The choices at the opening of a [`RedbCheckpointStore`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use crashpoint::RedbOptions;
///
/// let folder = tempfile::tempdir()?;
/// // A backup runs as another user of the same group.
/// let store = RedbOptions::new().mode(0o640).open(folder.path().join("runs.redb"))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedbOptions {
    mode: u32,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self { mode: MODE_DEFAULT }
    }
}

impl RedbOptions {
    /// The choices of [`RedbCheckpointStore::new`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The permissions of the file, if this opening creates it, on Unix: `0o600..=0o777`, and `0o600` by
    /// default. The process's mask applies, as for any new file. A file that exists keeps its own.
    ///
    /// Whoever may read the file sees all rows, and can keep the service from starting: a process that
    /// reads the file locks it.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Opens the store in the file `path`, or creates it.
    ///
    /// # Errors
    ///
    /// As [`RedbCheckpointStore::new`]; and if the mode is out of its range, or its owner could not read
    /// or write the file.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<RedbCheckpointStore, Error> {
        self.open_with(path, TokioRuntime::new())
    }

    /// Opens the store, with [`Runtime::blocking`] of `runtime` for its blocking work.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(
        &self,
        path: impl AsRef<Path>,
        runtime: impl Runtime,
    ) -> Result<RedbCheckpointStore, Error> {
        let (mode, path) = (self.mode, path.as_ref());
        if mode > 0o777 || mode & 0o600 != 0o600 {
            let path = path.display();
            return Err(Error::checkpoint_store(format!(
                "{path}: mode {mode:#o} is not allowed; it must be 0o600..=0o777, and its owner must be \
                 able to read and write"
            )));
        }
        RedbCheckpointStore::on_disk(&Directory::with_mode(path, mode), runtime)
    }
}
