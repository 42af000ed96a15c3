//! Which files were written, and whether they were synced before the acknowledgement.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::durable::Durable;
use super::{Action, Call, Does, Watch, follow};
use crate::child::{Message, Running};
use crate::finding::expect::{Failure, broken};

/// What was seen of one step before its acknowledgement.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Writes to files at the place.
    pub(crate) writes: usize,
    /// The files that were written, below the place, in the order of their names.
    pub(crate) files: Vec<Written>,
    /// A synced file that was named in this step, and the directory on the way to it that was not synced
    /// since.
    pub(crate) nameless: Option<(PathBuf, PathBuf)>,
}

/// A file that was written in a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Written {
    pub(crate) file: PathBuf,
    pub(crate) writes: usize,
    /// The last sync in the step.
    pub(crate) sync: LastSync,
}

/// When a file was last synced in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LastSync {
    AfterTheLastWrite,
    BeforeTheLastWrite,
    Never,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, writes) = (self.file.display().to_string(), self.writes);
        let times = if writes == 1 { "time" } else { "times" };
        let sync = match self.sync {
            LastSync::AfterTheLastWrite => "then synced",
            LastSync::BeforeTheLastWrite => "synced before the last of them",
            LastSync::Never => "not synced",
        };
        write!(f, "{file:?} ({writes} {times}, {sync})")
    }
}

struct Syncs {
    place: PathBuf,
    /// The files written in this step, by inode.
    dirty: BTreeMap<u64, Written>,
    /// The files synced in this step, by inode.
    synced_now: BTreeSet<u64>,
    /// Every file that was ever synced, by inode. A file that never is may be one that opening can rebuild.
    synced: BTreeSet<u64>,
    names: BTreeSet<PathBuf>,
    durable: Durable,
    now: Seen,
    steps: Vec<Seen>,
}

impl Syncs {
    fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.place).unwrap_or(path).to_owned()
    }

    fn note(&mut self, call: &Call) -> Option<()> {
        if matches!(call.name, "msync" | "syncfs") {
            // These sync everything that might have been written.
            for file in self.dirty.values_mut() {
                file.sync = LastSync::AfterTheLastWrite;
            }
            self.synced.extend(self.dirty.keys());
            return self.durable.sync_all().ok();
        }
        let path = call.path()?;
        if !path.starts_with(&self.place) {
            return None;
        }
        let about = fs::metadata(call.link()).ok()?;
        match call.does {
            Does::Sync if about.is_dir() => _ = self.durable.sync(&call.link()).ok()?,
            Does::Sync => {
                self.synced.insert(about.ino());
                self.synced_now.insert(about.ino());
                if let Some(file) = self.dirty.get_mut(&about.ino()) {
                    file.sync = LastSync::AfterTheLastWrite;
                }
            }
            Does::Write => {
                if matches!(call.name, "ftruncate" | "fallocate") {
                    // Neither writes data: after its sync a store may free space or reserve some.
                    return Some(());
                }
                self.now.writes += 1;
                let is_synced = writes_through(call);
                if is_synced {
                    self.synced.insert(about.ino());
                }
                let file = Written {
                    file: self.below(&path),
                    writes: 0,
                    sync: LastSync::Never,
                };
                let was_synced = self.synced_now.contains(&about.ino());
                let file = self.dirty.entry(about.ino()).or_insert(file);
                file.writes += 1;
                file.sync = match (is_synced, was_synced) {
                    (true, _) => LastSync::AfterTheLastWrite,
                    (false, true) => LastSync::BeforeTheLastWrite,
                    (false, false) => LastSync::Never,
                };
            }
            Does::Name => {}
        }
        Some(())
    }
}

/// Whether each write to the descriptor is also a sync.
pub(super) fn writes_through(call: &Call) -> bool {
    const O_DSYNC: u32 = 0o10000;
    let about = call.link().to_string_lossy().replace("/fd/", "/fdinfo/");
    let about = fs::read_to_string(about).unwrap_or_default();
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & O_DSYNC != 0)
}

impl Watch for Syncs {
    fn before(&mut self, call: &Call) -> Action {
        if matches!(call.does, Does::Write | Does::Sync) {
            self.note(call);
        }
        Action::GoOn
    }

    fn on_message(&mut self, nth: u64) {
        // The tracer counts from 0, and each message ends a step.
        assert_eq!(nth, self.steps.len() as u64, "a message ends one step");
        let mut seen = std::mem::take(&mut self.now);
        seen.files = std::mem::take(&mut self.dirty).into_values().collect();
        seen.files.sort();
        self.synced_now.clear();
        let names = names_in(&self.place);
        let new = names.difference(&self.names);
        let synced = new.filter(|name| {
            fs::metadata(name).is_ok_and(|about| self.synced.contains(&about.ino()))
        });
        let mut nameless = synced.filter_map(|name| {
            let directory = self.durable.lost_in(name)?;
            Some((self.below(name), self.below(&directory)))
        });
        seen.nameless = nameless.next();
        self.names = names;
        self.steps.push(seen);
    }
}

/// Every file below a directory.
pub(super) fn names_in(directory: &Path) -> BTreeSet<PathBuf> {
    let mut names = BTreeSet::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                _ => _ = names.insert(entry.path()),
            }
        }
    }
    names
}

/// Lets a ready child continue, and returns what was seen of each of its steps.
pub(crate) fn watch_syncs(mut running: Running<'_>, place: &Path) -> Result<Vec<Seen>, Failure> {
    let place = place.canonicalize();
    let place = place.map_err(|error| Failure::Harness(format!("no place: {error}")))?;
    let durable = Durable::names(&place);
    let mut syncs = Syncs {
        names: names_in(&place),
        durable: durable.map_err(|error| Failure::Harness(format!("no names: {error}")))?,
        place,
        dirty: BTreeMap::new(),
        synced_now: BTreeSet::new(),
        synced: BTreeSet::new(),
        now: Seen::default(),
        steps: Vec::new(),
    };
    follow(&mut running, &mut syncs)?;
    let messages = running.last_words();
    if let Some(Message::Refused(message)) = messages.last() {
        return Err(broken(format!("in a child process: {message}")));
    }
    if messages.last() != Some(&Message::Ended) {
        return Err(running.silent());
    }
    Ok(syncs.steps)
}
