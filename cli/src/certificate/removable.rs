//! A disk that can be removed while the embedded store is open, and brought back: the outage of the
//! kit's laws. While present it passes every call to the real file. The locks of the file belong to the
//! operating system, and stay while the disk is away.

use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crashpoint::disk::{Directory, Disk};
use redb::{BackendError, StorageBackend};

/// The folders whose disk is away; a harness has no values, so this is the process's.
static AWAY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn away() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    AWAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets every access to files in `folder` fail from here on.
pub(super) fn take_away(folder: &Path) {
    away().insert(folder.to_owned());
}

/// Ends what [`take_away`] began.
pub(super) fn bring_back(folder: &Path) {
    away().remove(folder);
}

/// The folder of a store, on a disk that may be away.
#[derive(Debug, Clone)]
struct Folder(PathBuf);

impl Folder {
    fn reached(&self) -> io::Result<()> {
        if away().contains(&self.0) {
            return Err(io::Error::other("the disk is away"));
        }
        Ok(())
    }
}

/// Where the file of a store is.
pub(super) struct RemovableDisk<'a> {
    folder: Folder,
    directory: Directory<'a>,
}

impl<'a> RemovableDisk<'a> {
    /// The place of the file `path` in `folder`.
    pub(super) fn new(folder: &Path, path: &'a Path) -> Self {
        Self {
            folder: Folder(folder.to_owned()),
            directory: Directory::new(path),
        }
    }

    fn on_it(&self, file: DirectoryFile) -> RemovableFile {
        RemovableFile {
            folder: self.folder.clone(),
            file,
        }
    }
}

type DirectoryFile = <Directory<'static> as Disk>::File;

impl<'a> Disk for RemovableDisk<'a> {
    type File = RemovableFile;
    type Draft = <Directory<'a> as Disk>::Draft;

    fn name(&self) -> String {
        self.directory.name()
    }

    fn open(&self) -> io::Result<Option<RemovableFile>> {
        self.folder.reached()?;
        let file = self.directory.open()?;
        Ok(file.map(|file| self.on_it(file)))
    }

    fn draft(&self) -> io::Result<Self::Draft> {
        self.folder.reached()?;
        self.directory.draft()
    }

    fn open_draft(&self, draft: &Self::Draft) -> io::Result<RemovableFile> {
        self.folder.reached()?;
        Ok(self.on_it(self.directory.open_draft(draft)?))
    }

    fn publish(&self, draft: Self::Draft) -> io::Result<()> {
        self.folder.reached()?;
        self.directory.publish(draft)
    }
}

/// An open file there.
#[derive(Debug)]
pub(super) struct RemovableFile {
    folder: Folder,
    file: DirectoryFile,
}

impl StorageBackend for RemovableFile {
    fn len(&self) -> io::Result<u64> {
        self.folder.reached()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.folder.reached()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.folder.reached()?;
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.folder.reached()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.folder.reached()?;
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
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
        self.file.unlock_range(from, to)
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(from, to)
    }
}
