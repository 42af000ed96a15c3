//! Counts the crash points that exist, independently of the injector that covers them.
//!
//! The recorder is told of every instant that a simulation passes, before the injector is asked
//! what happens there. A crash point in full is an instant together with the crashes before it, so
//! a recovery's own instants count for each crash that it recovers from. What was covered is told by
//! the crashes that fired; the difference between the two is what an exploration missed.

use std::collections::BTreeSet;

use smol_str::{SmolStr, format_smolstr};

/// The crash points of the schedules that were run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorder {
    seen: BTreeSet<SmolStr>,
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

    /// An instant was passed after these crashes, or is about to be crashed at.
    pub(crate) fn passed(&mut self, crashes: &Crashes, point: &SmolStr) {
        if self.counts_after(crashes) {
            self.seen.insert(crashes.full(point));
        }
    }

    /// The newest of these crashes fired.
    pub(crate) fn fired(&mut self, crashes: &Crashes) {
        if (1..=self.depth).contains(&crashes.count) {
            self.fired.insert(crashes.newest.clone());
        }
    }

    /// Adds what another schedule's recorder saw.
    pub(crate) fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.fired.extend(other.fired);
    }

    /// The crash points that exist, in alphabetical order.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(SmolStr::as_str)
    }

    /// How many crash points exist.
    pub fn total(&self) -> usize {
        self.seen.len()
    }

    /// How many of them a crash fired at.
    pub fn covered(&self) -> usize {
        self.seen.intersection(&self.fired).count()
    }

    /// The crash points that no crash fired at.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        self.seen.difference(&self.fired).map(SmolStr::as_str)
    }
}
