//! An instant of a life: the action, and the faults that may happen.

use std::convert::Infallible;

use crate::disk::Loss;
use crate::fault::{ClockFault, Crash, DiskFault, Fault};
use crate::sim::Activity;

/// An instant between two effects. `F` is the type of the faults of the operation itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant<'a, F = Infallible> {
    /// The action.
    pub(crate) what: &'a Activity,
    /// The place relative to the action: `before`, `after-effect`, and so on.
    pub(crate) when: &'static str,
    /// The action in detail, which tells apart the tasks that wait at instants of the same name.
    pub(crate) detail: [&'a str; 2],
    /// The possible faults of the operation, which applies the chosen fault itself.
    pub(crate) faults: &'a [F],
    /// Whether the process may crash here.
    pub(super) crash: bool,
    /// Whether another life may take over here, and whether the run may be cancelled.
    pub(super) others: bool,
    /// Whether the power may fail here.
    pub(super) power: bool,
}

/// What may happen at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer<F> {
    /// Something independent of the operation. The simulation applies it.
    Ambient(Ambient),
    /// A fault of the operation.
    Operation(F),
}

/// What may happen whatever the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambient {
    Crash(Crash),
    /// The power fails, and the disk keeps this part of its unsynced content.
    PowerLoss(Loss),
    Takeover,
    Cancel,
    Clock(ClockFault),
}

impl<'a> Instant<'a> {
    /// An instant before or after an operation.
    pub(crate) fn at(what: &'a Activity, when: &'static str) -> Self {
        Instant {
            when,
            ..Instant::before(what, &[])
        }
    }
}

impl<'a, F> Instant<'a, F> {
    /// An instant before an operation of the store with these possible faults.
    pub(crate) fn before(what: &'a Activity, faults: &'a [F]) -> Self {
        Self {
            what,
            when: "before",
            detail: [""; 2],
            faults,
            crash: true,
            others: true,
            power: true,
        }
    }

    /// The instant before a call of a service.
    pub(crate) fn call(what: &'a Activity, faults: &'a [F]) -> Self {
        Self {
            when: "before-call",
            ..Self::before(what, faults)
        }
    }

    /// An instant for faults of a task's attempt, and for nothing else.
    pub(crate) fn attempt(what: &'a Activity, faults: &'a [F]) -> Self {
        Self {
            when: "attempt",
            crash: false,
            others: false,
            power: false,
            ..Self::before(what, faults)
        }
    }

    /// An instant within an operation of the store: a crash, or a failing call of the disk.
    pub(crate) fn within(
        what: &'a Activity,
        when: &'static str,
        power: bool,
        faults: &'a [F],
    ) -> Self {
        Self {
            when,
            others: false,
            power,
            ..Self::before(what, faults)
        }
    }
}

impl<F: Copy + Into<Fault>> Offer<F> {
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Ambient(ambient) => ambient.fault(),
            Self::Operation(fault) => fault.into(),
        }
    }
}

impl Ambient {
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Crash(crash) => Fault::Crash(crash),
            Self::PowerLoss(loss) => Fault::Disk(DiskFault::PowerLoss(loss)),
            Self::Takeover => Fault::Takeover,
            Self::Cancel => Fault::Cancel,
            Self::Clock(clock) => Fault::Clock(clock),
        }
    }
}

impl From<Infallible> for Fault {
    fn from(none: Infallible) -> Self {
        match none {}
    }
}
