//! The place of a store's file: the seam between the store and a file system.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use tempfile::NamedTempFile;

use crate::foreign::bounded;
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

    /// Removes the drafts that dead processes left. Only the process that has the file open may call
    /// this: a draft can no longer become the file, so a living process loses nothing with it.
    fn remove_drafts(&self) {}
}

/// A path in a real file system.
#[derive(Debug)]
pub struct Directory<'a> {
    path: &'a Path,
    parent: PathBuf,
    /// The permissions of a new file, on Unix.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "permissions are a thing of Unix")
    )]
    mode: u32,
}

/// The permissions of a new file: rows may hold secrets, and whoever can read the file can lock it.
pub(super) const MODE_DEFAULT: u32 = 0o600;

/// What a draft's name ends with. Between this and the name of the file are [`RANDOM_LETTERS`].
const DRAFT_SUFFIX: &str = ".creating";
const RANDOM_LETTERS: usize = 6;

impl<'a> Directory<'a> {
    /// The place of the file `path`, which its owner alone may read.
    pub fn new(path: &'a Path) -> Self {
        Self::with_mode(path, MODE_DEFAULT)
    }

    /// The place of the file `path`, with the permissions of a new file.
    pub(super) fn with_mode(path: &'a Path, mode: u32) -> Self {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { path, parent, mode }
    }

    /// Whether a file of this name in the folder is a draft of this place.
    fn is_draft(&self, name: &OsStr) -> bool {
        let of = self.path.file_name().unwrap_or_default();
        let name = name.as_encoded_bytes();
        let random = name.strip_prefix(of.as_encoded_bytes());
        let random = random.and_then(|rest| rest.strip_suffix(DRAFT_SUFFIX.as_bytes()));
        // The length tells the drafts of `runs` from those of `runs2`.
        random.is_some_and(|random| {
            random.len() == RANDOM_LETTERS && random.iter().all(u8::is_ascii_alphanumeric)
        })
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

/// Opens a file to read. It does not wait, even if the path leads to a pipe by now.
pub(super) fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options.open(path)
}

impl Disk for Directory<'_> {
    type File = OwnedFile;
    type Draft = NamedTempFile;

    fn name(&self) -> String {
        bounded(self.path.display())
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
        builder
            .prefix(prefix)
            .suffix(DRAFT_SUFFIX)
            .rand_bytes(RANDOM_LETTERS);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The process's mask applies.
            builder.permissions(fs::Permissions::from_mode(self.mode));
        }
        builder.tempfile_in(&self.parent)
    }

    fn open_draft(&self, draft: &NamedTempFile) -> io::Result<OwnedFile> {
        OwnedFile::new(draft.reopen()?)
    }

    fn publish(&self, draft: NamedTempFile) -> io::Result<()> {
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(self.path) {
            // Whoever has the file open has removed the draft.
            Err(lost) if lost.error.kind() == io::ErrorKind::NotFound && self.path.exists() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            published => published?,
        };
        self.sync()
    }

    fn remove_drafts(&self) {
        // What can't be listed or removed stays: it is not needed.
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_file && self.is_draft(&entry.file_name()) {
                _ = fs::remove_file(entry.path());
            }
        }
    }
}
