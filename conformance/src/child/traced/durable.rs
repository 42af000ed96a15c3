//! What a power loss leaves of a place at worst: the synced data of files, under the synced names of
//! directories.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file or a directory, whatever its name is now: its inode, and its creation, since an inode is used
/// again.
pub(super) type Node = (u64, Option<SystemTime>);

pub(super) fn node_of(about: &Metadata) -> Node {
    (about.ino(), about.created().ok())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    node: Node,
    is_directory: bool,
    has_one_name: bool,
}

/// The durable part of a place.
pub(super) struct Durable {
    place: PathBuf,
    /// The names in each directory when it was last synced.
    directories: BTreeMap<Node, BTreeMap<OsString, Entry>>,
    files: Files,
}

/// The data of each file when it was last synced.
struct Files {
    /// Where the data is kept; `None` if nobody asks for it.
    stash: Option<PathBuf>,
    kept: BTreeMap<Node, PathBuf>,
    copies: u64,
}

impl Durable {
    /// All names that are at `place` now are durable.
    pub(super) fn names(place: &Path) -> io::Result<Self> {
        Self::new(place, None)
    }

    /// All that is at `place` now is durable. Data is kept below `stash`.
    pub(super) fn names_and_data(place: &Path, stash: &Path) -> io::Result<Self> {
        Self::new(place, Some(stash.to_owned()))
    }

    fn new(place: &Path, stash: Option<PathBuf>) -> io::Result<Self> {
        let mut durable = Self {
            place: place.to_owned(),
            directories: BTreeMap::new(),
            files: Files {
                stash,
                kept: BTreeMap::new(),
                copies: 0,
            },
        };
        durable.sync_all()?;
        Ok(durable)
    }

    /// Everything at the place is synced.
    pub(super) fn sync_all(&mut self) -> io::Result<()> {
        let mut paths = vec![self.place.clone()];
        while let Some(path) = paths.pop() {
            if self.sync(&path)? {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                paths.extend(entries.map(|entry| entry.path()));
            }
        }
        Ok(())
    }

    /// One file or directory is synced. Returns whether it is a directory.
    pub(super) fn sync(&mut self, path: &Path) -> io::Result<bool> {
        // A name may go while the store's threads are at work.
        let Ok(about) = fs::metadata(path) else {
            return Ok(false);
        };
        if about.is_dir() {
            self.sync_names(node_of(&about), entries_of(path)?);
        } else if about.is_file() {
            self.files.keep(path, &about)?;
        }
        Ok(about.is_dir())
    }

    fn sync_names(&mut self, directory: Node, entries: BTreeMap<OsString, Entry>) {
        // A rename is one step: with the new name durable, the old is gone. What has several names keeps
        // those that other directories have.
        let moved = entries.values().filter(|entry| entry.has_one_name);
        let moved: BTreeSet<Node> = moved.map(|entry| entry.node).collect();
        for names in self.directories.values_mut() {
            names.retain(|_, entry| !moved.contains(&entry.node));
        }
        self.directories.insert(directory, entries);
    }

    /// The first directory on the way to `path` whose entry for it is not durable.
    pub(super) fn lost_in(&self, path: &Path) -> Option<PathBuf> {
        let below = path.strip_prefix(&self.place).ok()?;
        let mut directory = self.place.clone();
        for name in below {
            let synced = fs::metadata(&directory).ok();
            let synced = synced.and_then(|about| self.directories.get(&node_of(&about)));
            let now = fs::symlink_metadata(directory.join(name)).ok()?;
            let entry = synced.and_then(|names| names.get(name));
            if entry.is_none_or(|entry| entry.node != node_of(&now)) {
                return Some(directory);
            }
            directory.push(name);
        }
        None
    }

    /// Creates in `target` what is durable.
    pub(super) fn write_to(&self, target: &Path) -> io::Result<()> {
        let root = node_of(&fs::metadata(&self.place)?);
        let mut directories = vec![(root, target.to_owned())];
        while let Some((node, path)) = directories.pop() {
            for (name, entry) in self.directories.get(&node).into_iter().flatten() {
                let path = path.join(name);
                if entry.is_directory {
                    fs::create_dir_all(&path)?;
                    directories.push((entry.node, path));
                } else {
                    self.files.write(entry.node, &path)?;
                }
            }
        }
        Ok(())
    }
}

impl Files {
    fn keep(&mut self, path: &Path, about: &Metadata) -> io::Result<()> {
        let Some(stash) = &self.stash else {
            return Ok(());
        };
        self.copies += 1;
        let copy = stash.join(self.copies.to_string());
        fs::copy(path, &copy)?;
        if let Some(old) = self.kept.insert(node_of(about), copy) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// A file that was never synced is there without its data.
    fn write(&self, node: Node, path: &Path) -> io::Result<()> {
        match self.kept.get(&node) {
            Some(copy) => fs::copy(copy, path).map(drop),
            None => fs::File::create(path).map(drop),
        }
    }
}

fn entries_of(path: &Path) -> io::Result<BTreeMap<OsString, Entry>> {
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        match fs::symlink_metadata(entry.path()) {
            Ok(about) => {
                let is_directory = about.is_dir();
                let about = Entry {
                    node: node_of(&about),
                    is_directory,
                    has_one_name: is_directory || about.nlink() == 1,
                };
                entries.insert(entry.file_name(), about);
            }
            // It has gone since it was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(entries)
}
