//! Counts the existing crash points, independently of the injector that covers them.
//!
//! The recorder sees every instant that a simulation passes, before the injector decides what
//! happens there. A full crash point is an instant together with the crashes before it. So the
//! instants of a recovery count once for each crash that it recovers from. The crashes that fired
//! are the covered points; an exploration missed the others.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

/// The place of a crash point in a schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CrashPlace {
    /// The number of crashes before it.
    pub crashes: u32,
    /// Its life, from 1.
    pub life: u32,
    /// The action of the life: `append`, `load`, or the name of a task.
    pub operation: SmolStr,
    /// The sequence of the row, if the operation appends a row.
    pub row: Option<u64>,
}

/// The crash points of a set of schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorder {
    seen: BTreeMap<SmolStr, CrashPlace>,
    fired: BTreeSet<SmolStr>,
    /// Only instants with fewer crashes before them are recorded.
    depth: u32,
}

/// The crashes of a schedule so far. Unlike the recorder's knowledge they survive each crash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crashes {
    count: u32,
    /// The newest crash as a full crash point; empty before the first.
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

    /// Adds a crash at an instant of this name.
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

    /// Whether it records an instant after these crashes.
    pub(crate) fn counts_after(&self, crashes: &Crashes) -> bool {
        crashes.count < self.depth
    }

    /// Records an instant of `life` after these crashes, passed or about to be crashed at.
    /// `operation` returns the action of the life, and the sequence of the row that it appends.
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

    /// Records that the newest of these crashes fired.
    pub(crate) fn fired(&mut self, crashes: &Crashes) {
        if (1..=self.depth).contains(&crashes.count) {
            assert!(
                !crashes.newest.is_empty(),
                "the newest of some crashes has a name"
            );
            self.fired.insert(crashes.newest.clone());
        }
    }

    /// Adds the records of another schedule.
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

    /// The places of the crash points, in the same order, each with whether a crash fired there.
    pub fn places(&self) -> impl Iterator<Item = (&CrashPlace, bool)> {
        let seen = self.seen.iter();
        seen.map(|(point, place)| (place, self.fired.contains(point)))
    }

    /// The number of existing crash points.
    pub fn total(&self) -> usize {
        self.seen.len()
    }

    /// Whether every crash fired at a crash point that was passed. It holds for a whole
    /// exploration; a part may begin after a crash of another part.
    pub(crate) fn is_whole(&self) -> bool {
        self.fired.iter().all(|point| self.seen.contains_key(point))
    }

    /// The number of crash points at which a crash fired.
    pub fn covered(&self) -> usize {
        let covered = self.fired.iter();
        covered
            .filter(|point| self.seen.contains_key(*point))
            .count()
    }

    /// The crash points at which no crash fired.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let seen = self.seen.keys().map(SmolStr::as_str);
        seen.filter(|point| !self.fired.contains(*point))
    }
}
