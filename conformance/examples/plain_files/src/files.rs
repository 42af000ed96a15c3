//! The directory: where rows are, and the order of writes and syncs.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

use crate::row_file;

/// An open directory.
pub(crate) struct Files {
    root: PathBuf,
    /// Whether a write has failed, so that the state of the disk is unknown.
    failed: bool,
    /// The lock, held while this file is open.
    _lock: File,
}

impl Files {
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let in_words = |error| {
            let root = root.display();
            Error::unavailable(format!("{root} can't be opened: {error}"))
        };
        let open = || -> io::Result<Self> {
            fs::create_dir_all(root)?;
            let mut options = File::options();
            let lock = options.create(true).truncate(false).write(true);
            let lock = lock.open(root.join("lock"))?;
            lock.try_lock()?;
            for leftover in ["draft", "draft-run", "trash"] {
                remove(&root.join(leftover))?;
            }
            sync_directory(root)?;
            Ok(Self {
                root: root.to_owned(),
                failed: false,
                _lock: lock,
            })
        };
        open().map_err(in_words)
    }

    pub(crate) fn append(&mut self, id: &str, row: &CheckpointRow) -> Result<(), Error> {
        self.writing("append", id, |files| {
            let run = match files.find(id)? {
                Some(run) => run,
                None => files.create(id)?,
            };
            files.publish(&run.join(name_of(row.sequence)), &row_file::encode(row))
        })
        .map_err(|fault| match fault {
            Fault::Taken => Error::conflict(id, row.sequence),
            Fault::Other(error) => error,
        })
    }

    pub(crate) fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.refuse_after_failure()?;
        let Some(run) = self.find(id).map_err(|error| unreadable(id, &error))? else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        for entry in fs::read_dir(&run).map_err(|error| unreadable(id, &error))? {
            let path = entry.map_err(|error| unreadable(id, &error))?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(sequence) = name.and_then(|name| name.parse().ok()) else {
                // The file of the id.
                continue;
            };
            let bytes = fs::read(&path).map_err(|error| unreadable(id, &error))?;
            let row = row_file::decode(sequence, &bytes);
            rows.push(row.ok_or_else(|| {
                let message = format!("row {sequence} of run {id:?} is damaged");
                StoreError::new(StoreErrorKind::Damaged, message)
            })?);
        }
        rows.sort_unstable_by_key(|row| row.sequence);
        Ok(rows)
    }

    pub(crate) fn clear(&mut self, id: &str) -> Result<(), Error> {
        self.writing("clear", id, |files| {
            let Some(run) = files.find(id)? else {
                return Ok(());
            };
            let trash = files.root.join("trash");
            remove(&trash)?;
            fs::rename(&run, &trash)?;
            sync_directory(&files.bucket(id))?;
            sync_directory(&files.root)?;
            remove(&trash)
        })
        .map_err(|fault| match fault {
            Fault::Taken => Error::unavailable(format!("clear of run {id:?}: a name is taken")),
            Fault::Other(error) => error,
        })
    }

    /// The directory of a run, if it has one.
    fn find(&self, id: &str) -> io::Result<Option<PathBuf>> {
        let entries = match fs::read_dir(self.bucket(id)) {
            // If the root is gone too, nothing is known about any run.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return fs::metadata(&self.root).map(|_| None);
            }
            entries => entries?,
        };
        for entry in entries {
            let run = entry?.path();
            if fs::read(run.join("id"))? == id.as_bytes() {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// Creates the directory of a run. It is complete as soon as it has its name.
    fn create(&self, id: &str) -> io::Result<PathBuf> {
        let (draft, bucket) = (self.root.join("draft-run"), self.bucket(id));
        remove(&draft)?;
        fs::create_dir(&draft)?;
        write_synced(&draft.join("id"), id.as_bytes())?;
        sync_directory(&draft)?;
        if !bucket.exists() {
            fs::create_dir(&bucket)?;
            sync_directory(&self.root)?;
        }
        let free = |run: &PathBuf| !run.exists();
        let mut numbered = (0_u64..).map(|number| bucket.join(number.to_string()));
        let run = numbered.find(free).ok_or(ErrorKind::StorageFull)?;
        fs::rename(&draft, &run)?;
        sync_directory(&bucket)?;
        Ok(run)
    }

    /// Writes a file under a free name, completely or not at all.
    fn publish(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let draft = self.root.join("draft");
        // Never truncated: after a crash the draft may be another name of a row.
        remove(&draft)?;
        write_synced(&draft, bytes)?;
        fs::hard_link(&draft, path)?;
        sync_directory(path.parent().unwrap_or(&self.root))?;
        remove(&draft)
    }

    /// The directory of all runs whose ids have this hash (64-bit FNV-1a).
    fn bucket(&self, id: &str) -> PathBuf {
        let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        self.root.join(format!("{hash:016x}"))
    }

    fn writing(
        &mut self,
        what: &str,
        id: &str,
        write: impl FnOnce(&Self) -> io::Result<()>,
    ) -> Result<(), Fault> {
        self.refuse_after_failure().map_err(Fault::Other)?;
        write(self).map_err(|error| {
            if error.kind() == ErrorKind::AlreadyExists {
                return Fault::Taken;
            }
            self.failed = true;
            Fault::Other(Error::unknown_outcome(format!(
                "{what} of run {id:?}: {error}"
            )))
        })
    }

    fn refuse_after_failure(&self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::unavailable(
                "a write has failed; open the store again",
            ));
        }
        Ok(())
    }
}

enum Fault {
    Taken,
    Other(Error),
}

/// All names have 20 digits, so that a listing by name is in order for people too.
fn name_of(sequence: u64) -> String {
    format!("{sequence:020}")
}

fn unreadable(id: &str, error: &io::Error) -> Error {
    Error::unavailable(format!("load of run {id:?}: {error}"))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file or a directory with its contents, if it exists.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    }
}
