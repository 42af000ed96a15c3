//! The visible and the durable content of a disk, and the effect of each step.
//!
//! The same function serves a disk in use and the replay of a recording.

use std::collections::BTreeSet;
use std::io;

use crate::disk::change::Change;
use crate::disk::loss::{Kept, Loss, Part, SUBSETS_MAX};
use crate::disk::pages::{PAGE_BYTES, Pages, Write, mix};

/// One of the two files of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The file without a name yet. It is lost in a crash.
    Draft,
    /// The file that has the name.
    Named,
}

/// The outcome of a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synced {
    Durable,
    /// It was reported as done but did nothing.
    Lied,
    /// It failed. From then on the system considers the pages clean: they stay visible until the
    /// power is lost, and no later sync writes them.
    Failed,
}

/// A step that changed a disk. Reads and refused calls are not steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// An empty draft begins. An earlier draft is discarded.
    Draft,
    Change(Which, Change),
    Sync(Which, Synced),
    /// The draft gets the name.
    Rename,
    /// The folder is synced, or reported so.
    SyncName(Synced),
}

/// A disk at an instant. Copies are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    draft: Option<Content>,
    named: Option<Content>,
    name_is_durable: bool,
}

/// A file: its visible content, its durable content, and the unsynced changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) seen: Pages,
    durable: Pages,
    unsynced: Vec<Change>,
}

impl Image {
    pub(super) fn file(&self, which: Which) -> io::Result<&Content> {
        let content = match which {
            Which::Draft => self.draft.as_ref(),
            Which::Named => self.named.as_ref(),
        };
        content.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file_mut(&mut self, which: Which) -> io::Result<&mut Content> {
        let content = match which {
            Which::Draft => self.draft.as_mut(),
            Which::Named => self.named.as_mut(),
        };
        content.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(crate) fn has_name(&self) -> bool {
        self.named.is_some()
    }

    /// Applies a step. A step that fails changes nothing.
    pub(crate) fn apply(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Draft => self.draft = Some(Content::default()),
            Step::Change(which, change) => {
                let file = self.file_mut(*which)?;
                file.seen.change(change)?;
                if let Change::Write(write) = change {
                    assert!(
                        write.end() <= file.seen.len(),
                        "a write beyond the end of the file is refused"
                    );
                }
                file.unsynced.push(change.clone());
            }
            Step::Sync(which, synced) => self.file_mut(*which)?.sync(*synced),
            Step::Rename => {
                if self.named.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.named = Some(self.draft.take().ok_or(io::ErrorKind::NotFound)?);
                self.name_is_durable = false;
            }
            Step::SyncName(synced) => {
                self.name_is_durable |= self.named.is_some() && *synced == Synced::Durable;
            }
        }
        assert!(
            self.named.is_some() || !self.name_is_durable,
            "a name is durable only where there is a file with the name"
        );
        Ok(())
    }

    /// The length of the named file in bytes, or 0 if there is none.
    pub(crate) fn length(&self) -> u64 {
        self.named.as_ref().map_or(0, |named| named.seen.len())
    }

    /// The changes of the named file that a power loss may take away.
    pub(crate) fn unsynced(&self) -> &[Change] {
        self.named.as_ref().map_or(&[], |named| &named.unsynced)
    }

    /// Whether a power loss may take the name away.
    pub(crate) fn may_lose_name(&self) -> bool {
        self.named.is_some() && !self.name_is_durable
    }

    /// Whether a failed sync has put more at risk than the unsynced changes.
    pub(crate) fn may_lose_more(&self) -> bool {
        let differs = |named: &Content| named.seen != named.durable;
        self.unsynced().is_empty() && self.named.as_ref().is_some_and(differs)
    }

    /// Whether a power loss may change the visible content.
    pub(super) fn differs_from_durable(&self) -> bool {
        let differs = |named: &Content| !named.unsynced.is_empty() || named.seen != named.durable;
        self.may_lose_name() || self.named.as_ref().is_some_and(differs)
    }

    /// The disk after a crash of the process: everything that was written, and no draft.
    pub(crate) fn without_process(&self) -> Self {
        Self {
            draft: None,
            ..self.clone()
        }
    }

    /// Every way in which the power may fail now: only durable content survives, everything does,
    /// and all cases between. Ways that leave equal disks count once.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        let with_name = |kept| Loss {
            keeps_name: true,
            kept,
        };
        let changes = self.unsynced();
        let mut losses = vec![Loss::OF_ALL, with_name(Kept::None), Loss::OF_NOTHING];
        if changes.len() <= SUBSETS_MAX {
            losses.extend((0..1 << changes.len()).map(|mask| with_name(Kept::Subset(mask))));
        }
        losses.extend(Kept::beyond_subsets(changes).into_iter().map(with_name));
        let mut left = BTreeSet::new();
        losses.retain(|loss| left.insert(self.without_power(loss).hash()));
        losses
    }

    /// The disk after a loss of power.
    pub(crate) fn without_power(&self, loss: &Loss) -> Self {
        let named = match (&self.named, loss.keeps_name || self.name_is_durable) {
            (Some(named), true) => Some(named.without_power(&loss.kept)),
            _ => None,
        };
        Self {
            draft: None,
            name_is_durable: named.is_some(),
            named,
        }
    }

    /// The same for every subset of the unsynced changes, given as a mask, with the name. Each
    /// subset is built from a smaller one.
    pub(crate) fn of_every_subset(&self, each: &mut dyn FnMut(u64, Self)) {
        let Some(named) = &self.named else { return };
        assert!(
            named.unsynced.len() <= SUBSETS_MAX,
            "the caller asks for every subset of few changes alone, and a mask has a bit for each"
        );
        let mut image = |mask, pages: Pages| {
            each(
                mask,
                Self {
                    draft: None,
                    named: Some(Content::durable(pages)),
                    name_is_durable: true,
                },
            );
        };
        grow(&named.unsynced, 0, 0, named.durable.clone(), &mut image);
    }

    /// Equal disks have equal hashes.
    pub(crate) fn hash(&self) -> u64 {
        let files = [&self.draft, &self.named].into_iter();
        let hashes = files.map(|file| file.as_ref().map_or(0, Content::hash));
        hashes.fold(u64::from(self.name_is_durable), |hash, file| {
            mix(hash ^ file)
        })
    }

    /// The ranges of the named file's pages that are not blank, in bytes.
    pub(crate) fn used(&self) -> Vec<std::ops::Range<u64>> {
        let Some(named) = &self.named else {
            return Vec::new();
        };
        let page = PAGE_BYTES as u64;
        let ranges = named
            .seen
            .used()
            .map(|number| number * page..(number + 1) * page);
        ranges
            .map(|range| {
                let used = range.start..range.end.min(named.seen.len());
                assert!(!used.is_empty(), "each page of a content has bytes of it");
                used
            })
            .collect()
    }

    /// Flips one bit of the named file, in its visible and its durable content.
    pub(crate) fn flip(&mut self, byte: u64, bit: u8) -> io::Result<()> {
        let named = self.named.as_mut().ok_or(io::ErrorKind::NotFound)?;
        for pages in [&mut named.seen, &mut named.durable] {
            let mut one = [0];
            pages.read(byte, &mut one)?;
            pages.write(&Write::new(byte, &[one[0] ^ (1 << bit)]))?;
        }
        Ok(())
    }
}

fn grow(
    changes: &[Change],
    index: usize,
    mask: u64,
    pages: Pages,
    each: &mut dyn FnMut(u64, Pages),
) {
    let Some(change) = changes.get(index) else {
        return each(mask, pages);
    };
    grow(changes, index + 1, mask, pages.clone(), each);
    let mut changed = pages;
    changed.survive(change);
    grow(changes, index + 1, mask | 1 << index, changed, each);
}

impl Content {
    fn durable(pages: Pages) -> Self {
        Self {
            seen: pages.clone(),
            durable: pages,
            unsynced: Vec::new(),
        }
    }

    fn sync(&mut self, synced: Synced) {
        match synced {
            Synced::Lied => return,
            Synced::Failed => {}
            Synced::Durable => {
                // Page by page: what an earlier, failed sync has lost stays lost.
                for change in &self.unsynced {
                    if let Change::SetLen(length) = change {
                        self.durable.resize(*length);
                    }
                }
                self.durable.resize(self.seen.len());
                for change in &self.unsynced {
                    if let Change::Write(write) = change {
                        self.durable.adopt(&self.seen, write);
                    }
                }
                assert_eq!(
                    self.durable.len(),
                    self.seen.len(),
                    "a sync makes the length durable"
                );
            }
        }
        self.unsynced.clear();
    }

    fn without_power(&self, kept: &Kept) -> Self {
        let mut pages = self.durable.clone();
        for (index, change) in self.unsynced.iter().enumerate() {
            match kept.part(index) {
                Part::Nothing => {}
                Part::Whole => pages.survive(change),
                Part::Sectors(sectors) => {
                    sectors
                        .of(change)
                        .iter()
                        .for_each(|piece| pages.survive(piece));
                }
            }
        }
        Self::durable(pages)
    }

    fn hash(&self) -> u64 {
        let pages = mix(self.seen.hash()) ^ self.durable.hash();
        let changes = self.unsynced.iter().map(Change::hash);
        changes.fold(pages, |hash, change| mix(hash ^ change))
    }
}
