//! An instant of a life: what is being done, and what may happen then.

use std::convert::Infallible;

use crate::disk::Loss;
use crate::fault::{ClockFault, Crash, DiskFault, Fault};
use crate::sim::Activity;

/// An instant between two effects. `F` is what can go wrong with the operation itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant<'a, F = Infallible> {
    /// What is done.
    pub(crate) what: &'a Activity,
    /// `before` it, `after-effect`, ...
    pub(crate) when: &'static str,
    /// What can go wrong with the operation. The operation carries it out.
    pub(crate) faults: &'a [F],
    /// Whether the process may crash here.
    pub(super) crash: bool,
    /// Whether another life may take over here, or the run be cancelled.
    pub(super) others: bool,
    /// Whether the power may fail here.
    pub(super) power: bool,
}

/// What may happen at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer<F> {
    /// Something that does not depend on the operation. The simulation carries it out.
    Ambient(Ambient),
    /// A fault of the operation.
    Operation(F),
}

/// What may happen whatever the process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambient {
    Crash(Crash),
    /// The power fails, and the disk keeps this much of what was not synced.
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
    /// An instant before an operation of the store that can fail in these ways.
    pub(crate) fn before(what: &'a Activity, faults: &'a [F]) -> Self {
        Self {
            what,
            when: "before",
            faults,
            crash: true,
            others: true,
            power: true,
        }
    }

    /// An instant at which an attempt of a task may go wrong, and nothing else.
    pub(crate) fn attempt(what: &'a Activity, faults: &'a [F]) -> Self {
        Self {
            when: "attempt",
            crash: false,
            others: false,
            power: false,
            ..Self::before(what, faults)
        }
    }

    /// An instant inside of an operation of the store: a crash, or a call of the disk that fails.
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
    fn fault(self) -> Fault {
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
