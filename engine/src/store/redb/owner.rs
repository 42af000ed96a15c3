//! The process that opened a file.
//!
//! A fork gives the child a copy of an open store: its memory, its file descriptor and, since both
//! belong to one open file, its lock. A child that wrote would destroy what the parent wrote, and a
//! child that unlocked would unlock the parent's file. So the copy does nothing in the child.

use std::fmt;
use std::io;
use std::ops::Bound;

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::error::{Error, StoreError, StoreErrorKind};

/// The process that opened a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(u32);

impl Owner {
    /// The process that asks.
    pub(super) fn current() -> Self {
        Self(std::process::id())
    }

    pub(super) fn is_current(self) -> bool {
        self == Self::current()
    }

    /// # Errors
    ///
    /// In every other process.
    pub(super) fn check(self) -> Result<(), Error> {
        if self.is_current() {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::OtherProcess, self.refusal()).into())
    }

    fn check_io(self) -> io::Result<()> {
        if self.is_current() {
            return Ok(());
        }
        Err(io::Error::other(self.refusal()))
    }

    fn refusal(self) -> String {
        let (opener, current) = (self.0, std::process::id());
        format!(
            "process {opener} opened the store, and process {current} is a fork of it; open a store \
             after the fork"
        )
    }
}

/// A file that only the process that opened it changes, unlocks or closes.
pub struct OwnedFile {
    file: FileBackend,
    owner: Owner,
}

impl OwnedFile {
    /// The file, which the current process owns.
    pub(super) fn new(file: std::fs::File) -> io::Result<Self> {
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        let owner = Owner::current();
        Ok(Self { file, owner })
    }
}

impl StorageBackend for OwnedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.owner.check_io()?;
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.owner.check_io()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.owner.check_io()?;
        self.file.write(offset, data)
    }

    /// In a fork, the drop of the file descriptor closes the child's copy and keeps the parent's lock.
    fn close(&self) -> io::Result<()> {
        if self.owner.is_current() {
            return self.file.close();
        }
        Ok(())
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(from, to)
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(from, to)
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if self.owner.is_current() {
            return self.file.unlock_range(from, to);
        }
        Ok(())
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(from, to)
    }
}

impl fmt::Debug for OwnedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedFile")
            .field("owner", &self.owner)
            .finish_non_exhaustive()
    }
}
