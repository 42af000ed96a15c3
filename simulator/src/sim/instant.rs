//! An instant of a life: what is being done, and what may happen then.

use crate::fault::Fault;

/// An instant between two effects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant<'a> {
    /// What is done: `append#3`, `ship`, `undo charge`.
    pub(crate) what: &'a str,
    /// `before` it, `after-effect`, ...
    pub(crate) when: &'a str,
    /// What can go wrong with the operation.
    pub(crate) faults: &'a [Fault],
    /// Whether the process may crash here.
    pub(super) crash: bool,
    /// Whether another life may take over here, or the run be cancelled.
    pub(super) others: bool,
    /// Whether the power may fail here.
    pub(super) power: bool,
}

impl<'a> Instant<'a> {
    /// An instant before or after an operation.
    pub(crate) fn at(what: &'a str, when: &'a str) -> Self {
        Self {
            what,
            when,
            faults: &[],
            crash: true,
            others: true,
            power: true,
        }
    }

    /// An instant before an operation of the store that can fail in these ways.
    pub(crate) fn before(what: &'a str, faults: &'a [Fault]) -> Self {
        Self {
            faults,
            ..Self::at(what, "before")
        }
    }

    /// An instant at which an attempt of a task may go wrong, and nothing else.
    pub(crate) fn attempt(what: &'a str, faults: &'a [Fault]) -> Self {
        Self {
            faults,
            crash: false,
            others: false,
            power: false,
            ..Self::at(what, "attempt")
        }
    }

    /// An instant inside of an operation of the store: a crash, or a call of the disk that fails.
    pub(crate) fn within(what: &'a str, when: &'a str, power: bool, faults: &'a [Fault]) -> Self {
        Self {
            others: false,
            power,
            faults,
            ..Self::at(what, when)
        }
    }
}
