//! Counts the crash points that exist, independently of the injector that covers them.
//!
//! The recorder is told of every instant that a simulation passes, before the injector is asked
//! what happens there. A crash point in full is an instant together with the crashes before it, so
//! a recovery's own instants count for each crash that it recovers from. What was covered is told by
//! the crashes that fired; the difference between the two is what an exploration missed.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

/// Where in a schedule a crash point is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CrashPlace {
    /// How many crashes come before it.
    pub crashes: u32,
    /// The life that it is in, from 1.
    pub life: u32,
    /// What the life does there: `append`, `load`, the name of a task.
    pub operation: SmolStr,
    /// The sequence of the row, if the operation appends one.
    pub row: Option<u64>,
}

/// The crash points of the schedules that were run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorder {
    seen: BTreeMap<SmolStr, CrashPlace>,
    fired: BTreeSet<SmolStr>,
    /// How many crashes deep instants are recorded.
    depth: u32,
}

/// The crashes of a schedule so far: unlike what a recorder knows, they survive each of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crashes {
    count: u32,
    /// The newest as a crash point in full; empty before the first.
    newest: SmolStr,
}

impl Crashes {
    fn full(&self, point: &SmolStr) -> SmolStr {
        if self.count == 0 {
            point.clone()
        } else {
            format_smolstr!("{} > {point}", self.newest)
        }
    }

    /// One more, at an instant of this name.
    pub(crate) fn add(&mut self, point: &SmolStr) {
        self.newest = self.full(point);
        self.count += 1;
        assert!(
            self.newest.ends_with(point.as_str()),
            "the newest crash is named last"
        );
    }
}

impl Recorder {
    /// A recorder of instants with fewer than `depth` crashes before them.
    pub(crate) fn new(depth: u32) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// Whether it counts an instant that comes after these crashes.
    pub(crate) fn counts_after(&self, crashes: &Crashes) -> bool {
        crashes.count < self.depth
    }

    /// An instant of `life` was passed after these crashes, or is about to be crashed at. `operation`
    /// is what the life does there, with the sequence of the row that it appends.
    pub(crate) fn passed(
        &mut self,
        crashes: &Crashes,
        point: &SmolStr,
        life: u32,
        operation: impl FnOnce() -> (SmolStr, Option<u64>),
    ) {
        if !self.counts_after(crashes) {
            return;
        }
        self.seen.entry(crashes.full(point)).or_insert_with(|| {
            let (operation, row) = operation();
            CrashPlace {
                crashes: crashes.count,
                life,
                operation,
                row,
            }
        });
    }

    /// The newest of these crashes fired.
    pub(crate) fn fired(&mut self, crashes: &Crashes) {
        if (1..=self.depth).contains(&crashes.count) {
            assert!(
                !crashes.newest.is_empty(),
                "the newest of some crashes has a name"
            );
            self.fired.insert(crashes.newest.clone());
        }
    }

    /// Adds what another schedule's recorder saw.
    pub(crate) fn merge(&mut self, other: Self) {
        for (point, place) in other.seen {
            let known = self.seen.entry(point).or_insert_with(|| place.clone());
            assert_eq!(*known, place, "the name of a crash point says where it is");
        }
        self.fired.extend(other.fired);
    }

    /// The crash points that exist, in alphabetical order.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(SmolStr::as_str)
    }

    /// Where the crash points are, in the same order, and whether a crash fired at each.
    pub fn places(&self) -> impl Iterator<Item = (&CrashPlace, bool)> {
        let seen = self.seen.iter();
        seen.map(|(point, place)| (place, self.fired.contains(point)))
    }

    /// How many crash points exist.
    pub fn total(&self) -> usize {
        self.seen.len()
    }

    /// Whether every crash fired at a crash point that was passed. It holds for the whole of an
    /// exploration; a part of it may begin after a crash of another part.
    pub(crate) fn is_whole(&self) -> bool {
        self.fired.iter().all(|point| self.seen.contains_key(point))
    }

    /// How many of them a crash fired at.
    pub fn covered(&self) -> usize {
        let covered = self.fired.iter();
        covered
            .filter(|point| self.seen.contains_key(*point))
            .count()
    }

    /// The crash points that no crash fired at.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let seen = self.seen.keys().map(SmolStr::as_str);
        seen.filter(|point| !self.fired.contains(*point))
    }
}
