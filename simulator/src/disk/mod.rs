//! A disk in memory that knows what is durable.
//!
//! It holds the one file of a store. What is written is seen at once, by every process, and is
//! durable once it was synced; a power loss takes the rest away. The file's content and its name
//! are made durable apart, as in a real folder.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::executor::lock;

/// A disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

/// Which of the two files of a disk: the one that has the name, or the one that is yet to get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The file that has no name yet. Nobody finds it after a crash.
    Draft,
    /// The file that has the name.
    Named,
}

/// What a disk does not do although it says so: for canaries, which an oracle has to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lie {
    /// It does everything.
    #[default]
    None,
    /// A sync of the named file makes nothing durable.
    Writes,
    /// A sync of the folder makes nothing durable.
    Names,
}

#[derive(Debug, Default)]
struct State {
    lie: Lie,
    draft: Option<Content>,
    named: Option<Content>,
    name_is_durable: bool,
}

/// A file, with the way back to what is durable of it.
#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// What undoes the unsynced changes, in the order of the changes.
    unsynced: Vec<Undo>,
}

#[derive(Debug)]
enum Undo {
    /// These bytes were overwritten.
    Write { offset: usize, old: Vec<u8> },
    /// The length changed; these bytes were cut off.
    Length { old: usize, cut: Vec<u8> },
}

impl SimDisk {
    /// An empty disk that lies in this way.
    pub fn new(lie: Lie) -> Self {
        Self(Arc::new(Mutex::new(State {
            lie,
            ..State::default()
        })))
    }

    /// Whether there is a file with the name.
    pub fn has_name(&self) -> bool {
        self.state().named.is_some()
    }

    /// Begins an empty draft; one that was there before is forgotten.
    pub fn begin_draft(&self) {
        self.state().draft = Some(Content::default());
    }

    /// Gives the draft the name, at once and not yet durably.
    ///
    /// # Errors
    ///
    /// Where the name is taken, and where there is no draft.
    pub fn name_draft(&self) -> io::Result<()> {
        let mut state = self.state();
        if state.named.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let draft = state.draft.take().ok_or(io::ErrorKind::NotFound)?;
        state.named = Some(draft);
        state.name_is_durable = false;
        Ok(())
    }

    /// Makes the name durable, where there is one.
    pub fn sync_name(&self) {
        let mut state = self.state();
        state.name_is_durable = state.named.is_some() && state.lie != Lie::Names;
    }

    /// The length of a file, in bytes.
    ///
    /// # Errors
    ///
    /// Where there is no such file, as with every operation on one.
    pub fn len(&self, which: Which) -> io::Result<u64> {
        self.on(which, |content| Ok(content.bytes.len() as u64))
    }

    /// Reads as many bytes as `out` has room for.
    ///
    /// # Errors
    ///
    /// Where they reach past the end.
    pub fn read(&self, which: Which, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.on(which, |content| {
            let range = content.range(offset, out.len())?;
            out.copy_from_slice(&content.bytes[range]);
            Ok(())
        })
    }

    /// Sets the length of a file; new bytes are zero.
    ///
    /// # Errors
    ///
    /// Where the length is more than memory can have.
    pub fn set_len(&self, which: Which, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.on(which, |content| {
            let old = content.bytes.len();
            let cut = content.bytes.split_off(length.min(old));
            content.bytes.resize(length, 0);
            content.unsynced.push(Undo::Length { old, cut });
            Ok(())
        })
    }

    /// Overwrites bytes of a file.
    ///
    /// # Errors
    ///
    /// Where they reach past the end.
    pub fn write(&self, which: Which, offset: u64, data: &[u8]) -> io::Result<()> {
        self.on(which, |content| {
            let range = content.range(offset, data.len())?;
            let (offset, target) = (range.start, &mut content.bytes[range]);
            let old = target.to_vec();
            target.copy_from_slice(data);
            content.unsynced.push(Undo::Write { offset, old });
            Ok(())
        })
    }

    /// Makes the content of a file durable, its length included.
    ///
    /// # Errors
    ///
    /// Where there is no such file.
    pub fn sync(&self, which: Which) -> io::Result<()> {
        let lies = which == Which::Named && self.state().lie == Lie::Writes;
        self.on(which, |content| {
            if !lies {
                content.unsynced.clear();
            }
            Ok(())
        })
    }

    /// Whether a power loss would change what is seen.
    pub fn has_unsynced(&self) -> bool {
        let state = self.state();
        let named = state.named.as_ref();
        named.is_some_and(|named| !state.name_is_durable || !named.unsynced.is_empty())
    }

    /// Takes away what is not durable.
    pub fn lose_power(&self) {
        let mut state = self.state();
        state.draft = None;
        if state.name_is_durable {
            state.named.iter_mut().for_each(Content::revert);
        } else {
            state.named = None;
        }
    }

    fn on<T>(
        &self,
        which: Which,
        operation: impl FnOnce(&mut Content) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state();
        let content = match which {
            Which::Draft => state.draft.as_mut(),
            Which::Named => state.named.as_mut(),
        };
        operation(content.ok_or(io::ErrorKind::NotFound)?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl Content {
    fn range(&self, offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(length);
        let end = end.filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(start..end)
    }

    fn revert(&mut self) {
        while let Some(undo) = self.unsynced.pop() {
            match undo {
                Undo::Write { offset, old } => {
                    self.bytes[offset..offset + old.len()].copy_from_slice(&old);
                }
                Undo::Length { old, cut } => {
                    self.bytes.truncate(old);
                    self.bytes.extend(cut);
                    self.bytes.resize(old, 0);
                }
            }
        }
    }
}
