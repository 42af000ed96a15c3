//! The place of a store's file: the seam between the store and a file system.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use tempfile::NamedTempFile;

use crate::store::redb::owner::OwnedFile;

/// A place for the file of a store. Production has a path; a simulation has a simulated disk.
pub trait Disk {
    /// The file, opened.
    type File: StorageBackend;
    /// A file that has no name yet.
    type Draft;

    /// How an operator knows the place.
    fn name(&self) -> String;

    /// Opens the file; `None` if there is none. Its name is durable afterwards.
    ///
    /// # Errors
    ///
    /// If the place can't be read.
    fn open(&self) -> io::Result<Option<Self::File>>;

    /// Begins a file without a name.
    ///
    /// # Errors
    ///
    /// If the place can't be written.
    fn draft(&self) -> io::Result<Self::Draft>;

    /// Opens a file that has no name yet.
    ///
    /// # Errors
    ///
    /// If the place can't be read.
    fn open_draft(&self, draft: &Self::Draft) -> io::Result<Self::File>;

    /// Makes the content of a draft durable, and then gives it the name. It never replaces a file.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is a file of this name, and
    /// any other error of the place.
    fn publish(&self, draft: Self::Draft) -> io::Result<()>;
}

/// A path in a real file system.
#[derive(Debug)]
pub struct Directory<'a> {
    path: &'a Path,
    parent: PathBuf,
}

impl<'a> Directory<'a> {
    /// The place of the file `path`.
    pub fn new(path: &'a Path) -> Self {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { path, parent }
    }

    /// Makes the names in the folder durable.
    fn sync(&self) -> io::Result<()> {
        // Elsewhere a folder can't be opened, and its names are the file system's own business.
        if cfg!(unix) {
            File::open(&self.parent)?.sync_all()?;
        }
        Ok(())
    }
}

/// Refuses a path that leads to something other than a regular file. Opening a pipe waits for its
/// writer, and a device has no length, so that it would be taken for an empty file.
pub(super) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        let reason = "is not a regular file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    Ok(())
}

impl Disk for Directory<'_> {
    type File = OwnedFile;
    type Draft = NamedTempFile;

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self) -> io::Result<Option<OwnedFile>> {
        let file = match OpenOptions::new().read(true).write(true).open(self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        check_regular(&file.metadata()?)?;
        self.sync()?;
        OwnedFile::new(file).map(Some)
    }

    fn draft(&self) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        let prefix = self.path.file_name().unwrap_or_default();
        builder.prefix(prefix).suffix(".creating");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any file that a program creates; the process's mask applies.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(&self.parent)
    }

    fn open_draft(&self, draft: &NamedTempFile) -> io::Result<OwnedFile> {
        OwnedFile::new(draft.reopen()?)
    }

    fn publish(&self, draft: NamedTempFile) -> io::Result<()> {
        draft.as_file().sync_all()?;
        draft.persist_noclobber(self.path)?;
        self.sync()
    }
}
