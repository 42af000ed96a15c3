//! Counts the crash points that exist, independently of the injector that covers them.
//!
//! The recorder is told of every instant that a simulation passes, before the injector is asked
//! what happens there. A crash point in full is an instant together with the crashes before it, so
//! a recovery's own instants count for each crash that it recovers from. What was covered is told by
//! the crashes that fired; the difference between the two is what an exploration missed.

use std::collections::BTreeSet;

/// The crash points of the schedules that were run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorder {
    seen: BTreeSet<String>,
    fired: BTreeSet<String>,
    /// How many crashes deep instants are recorded.
    depth: u32,
    /// The crashes of the present schedule, in words.
    history: String,
    crashes: u32,
}

impl Recorder {
    /// A recorder of instants with fewer than `depth` crashes before them.
    pub(crate) fn new(depth: u32) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// An instant was passed, or is about to be crashed at.
    pub(crate) fn passed(&mut self, point: &str) {
        if self.crashes < self.depth {
            let full = self.full(point);
            self.seen.insert(full);
        }
    }

    /// A crash fired.
    pub(crate) fn crashed(&mut self, point: &str) {
        let full = self.full(point);
        if self.crashes < self.depth {
            self.fired.insert(full.clone());
        }
        self.history = full;
        self.crashes += 1;
    }

    /// Keeps nothing but how deep it is: what another recorder knows already.
    pub(crate) fn forget_points(&mut self) {
        self.seen.clear();
        self.fired.clear();
    }

    fn full(&self, point: &str) -> String {
        if self.history.is_empty() {
            point.to_owned()
        } else {
            format!("{} > {point}", self.history)
        }
    }

    /// Adds what another schedule's recorder saw.
    pub(crate) fn merge(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.fired.extend(other.fired);
    }

    /// The crash points that exist, in alphabetical order.
    pub fn points(&self) -> impl Iterator<Item = &str> {
        self.seen.iter().map(String::as_str)
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
        self.seen.difference(&self.fired).map(String::as_str)
    }
}
