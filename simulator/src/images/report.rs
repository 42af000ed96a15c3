//! The result of an exploration of images.

use std::collections::BTreeMap;
use std::fmt;

use crate::disk::{Failure, Lie};
use crate::images::crash::Mode;
use crate::images::hazard::{Armed, Hazard};

/// Numbers of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// All images.
    pub images: u64,
    /// Those equal to an earlier image, which were not opened again.
    pub merged: u64,
}

/// An image that breaks the store's promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub message: String,
    /// The crashes that led to it, in words, the first crash first.
    pub crashes: Vec<String>,
    /// The faults of its disk.
    pub faulty: Faulty,
    /// The token for [`Exploration::replay`](crate::images::Exploration::replay); empty if no crash
    /// was needed.
    pub token: String,
}

/// The faults of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faulty {
    /// Its lie.
    pub lie: Lie,
    /// Its failure.
    pub fault: Option<Failure>,
}

/// The findings of an exploration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImagesReport {
    /// The number of images, by the mode of the last crash.
    pub counts: BTreeMap<Mode, Count>,
    /// Those taken within the opening of another image.
    pub within_recovery: Count,
    /// How often the script ran.
    pub runs: u64,
    /// The number of failed calls of the disk.
    pub faults: u64,
    /// For each hazard in how many runs or images it was armed, and in how many it fired.
    pub hazards: BTreeMap<Hazard, Armed>,
    /// The first violations, at most [`VIOLATIONS_MAX`].
    pub violations: Vec<Violation>,
    /// The number of all violations.
    pub violations_total: u64,
}

/// The most violations that a report lists.
pub const VIOLATIONS_MAX: usize = 20;

impl ImagesReport {
    /// The sum over all modes.
    pub fn total(&self) -> Count {
        let counts = self.counts.values();
        counts.fold(Count::default(), |sum, count| Count {
            images: sum.images + count.images,
            merged: sum.merged + count.merged,
        })
    }

    pub(crate) fn count(&mut self, mode: Mode, merged: bool, within_recovery: bool) {
        self.counts.entry(mode).or_default().add(merged);
        self.armed(Hazard::Crash(mode), true);
        if within_recovery {
            self.within_recovery.add(merged);
        }
    }

    pub(crate) fn armed(&mut self, hazard: Hazard, fired: bool) {
        let Armed {
            armed,
            fired: count,
        } = self.hazards.entry(hazard).or_default();
        *armed += 1;
        *count += u64::from(fired);
    }

    pub(crate) fn add(&mut self, violation: impl FnOnce() -> Violation) {
        self.violations_total += 1;
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation());
        }
    }
}

impl Count {
    fn add(&mut self, merged: bool) {
        self.images += 1;
        self.merged += u64::from(merged);
    }
}

impl fmt::Display for ImagesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, count: &Count| {
            writeln!(f, "{name:<15} {:>8} {:>8}", count.images, count.merged)
        };
        for (mode, count) in &self.counts {
            row(&mode.to_string(), count)?;
        }
        row("all", &self.total())?;
        row("within recovery", &self.within_recovery)?;
        write!(f, "{} violations", self.violations_total)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.message)?;
        if self.faulty.lie != Lie::None {
            writeln!(f, "  on a disk that lies: {:?}", self.faulty.lie)?;
        }
        if let Some(fault) = &self.faulty.fault {
            writeln!(f, "  on a disk that fails: {fault:?}")?;
        }
        for crash in &self.crashes {
            writeln!(f, "  {crash}")?;
        }
        write!(f, "  again: .replay({:?})", self.token)
    }
}
