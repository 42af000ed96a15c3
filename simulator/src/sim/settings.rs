//! What is asked of a simulation: its faults, its store, and what it takes down beside its history.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::executor::lock;
use crate::fault::Budget;
use crate::sim::StoreKind;

/// The settings of a simulation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The faults that may happen.
    pub budget: Budget,
    /// An instant at which the injector never crashes, to test that the recorder notices.
    pub skip: Option<String>,
    /// The store under the subject.
    pub store: StoreKind,
    /// Whether an exploration continues from every crash, even if it has continued from the same
    /// state before.
    pub unmerged: bool,
    /// An exploration of a part stops after this many violations: more have the same few reasons.
    pub violations_max: usize,
    /// An exploration of a part stops after this many schedules.
    pub schedules_max: u64,
    /// The schedules that an exploration runs a second time, to check that they are deterministic.
    pub repeat: Repeat,
    /// Whether polls that wait for something outside of the simulation are looked for.
    pub watch: Watch,
    /// Whether the clock and the subject's world are taken down at each instant.
    pub snapshots: Snapshots,
}

/// Whether a simulation takes down the clock and the subject's world at each instant.
#[derive(Debug, Clone, Default)]
pub enum Snapshots {
    /// It does not.
    #[default]
    Off,
    /// It adds them here.
    Into(Arc<Mutex<Vec<Snapshot>>>),
}

impl Snapshots {
    /// The snapshots so far, which are taken out.
    pub(crate) fn take(&self) -> Vec<Snapshot> {
        match self {
            Self::Off => Vec::new(),
            Self::Into(taken) => std::mem::take(&mut *lock(taken)),
        }
    }
}

/// The clock and the subject's world at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of events before the instant.
    pub events: usize,
    /// The virtual time since the start.
    pub time: Duration,
    /// The error of the wall clock, in milliseconds.
    pub clock_skew_ms: i64,
    /// [`Subject::world`](crate::Subject::world).
    pub world: Option<String>,
}

/// Whether a simulation looks for polls that wait for something outside of it.
#[derive(Debug, Clone, Default)]
pub enum Watch {
    /// It does not.
    #[default]
    Off,
    /// It adds here what the life was doing.
    Into(Arc<Mutex<BTreeSet<String>>>),
}

/// The schedules that an exploration runs a second time, from their start. The choice does not
/// depend on their order, so it is the same for any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// None.
    Never,
    /// The schedule without faults, every schedule that breaks a promise, and one in this many of
    /// the others, selected by their draws.
    OneIn(u64),
}

impl Repeat {
    /// Explorations, soaks and crash tests run one schedule in this many a second time.
    pub const ONE_IN: u64 = 16;
}

impl Default for Settings {
    /// No faults, over the store in memory.
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            skip: None,
            store: StoreKind::Memory,
            unmerged: false,
            violations_max: 8,
            schedules_max: u64::MAX,
            repeat: Repeat::Never,
            watch: Watch::Off,
            snapshots: Snapshots::Off,
        }
    }
}

impl Settings {
    /// The faults of a budget, over the store in memory.
    pub fn within(budget: Budget) -> Self {
        Self {
            budget,
            ..Self::default()
        }
    }
}
