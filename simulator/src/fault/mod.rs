//! Faults as data: what can go wrong in a simulation, how much of it, and how it is written.
//!
//! - `kinds.rs`: the kinds of faults, an enum for each group;
//! - `text.rs`: the table of their names and sentences;
//! - `sentences.rs`: the sentences that schedules had before version 1, which are still read;
//! - `budget.rs`: how many faults of each group a schedule may have;
//! - `schedule.rs`: a schedule, as text and as choices;
//! - `left_out.rs`: the faults that a test leaves out.

mod budget;
mod kinds;
mod left_out;
mod schedule;
mod sentences;
mod text;

use std::fmt;
use std::str::FromStr;

use smol_str::{SmolStr, format_smolstr};

use crate::disk::Loss;

pub use budget::{BadBudget, Budget, Group};
pub use kinds::{AttemptFault, Breach, ClockFault, Crash, DiskFault, ServiceFault, StoreFault};
pub use left_out::{Kinds, LeftOut};
pub use schedule::{BadSchedule, Schedule};

use text::text_of;

/// What can go wrong at an instant. Each variant is a group: a [`Budget`] has a number for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A process ends.
    Crash(Crash),
    /// The disk under an embedded store fails.
    Disk(DiskFault),
    /// Another process takes over the run; this one goes on.
    Takeover,
    /// The run's cancellation is requested.
    Cancel,
    /// The store misbehaves within its contract.
    Store(StoreFault),
    /// An attempt of a task, a step or an undo goes wrong.
    Attempt(AttemptFault),
    /// A clock jumps.
    Clock(ClockFault),
    /// The store breaks its contract.
    Breach(Breach),
    /// A call of a service goes wrong.
    Service(ServiceFault),
    /// This life runs next, where two or more lives could. It is no fault by itself, but a part of a
    /// schedule.
    Switch(u32),
    /// Of the tasks of a life that wait at an instant, not the first goes on but the one with this
    /// number, from 1. It is no fault by itself either.
    Order(u32),
}

impl Fault {
    /// The kind of a power loss after which the disk keeps a part of what was not synced.
    pub(crate) const PARTIAL_POWER_LOSS: Self = Self::Disk(DiskFault::PowerLoss(Loss::OF_NOTHING));

    /// Whether the process dies.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash(_) | Self::Disk(DiskFault::PowerLoss(_)))
    }

    /// The group that a budget pays this fault from.
    pub fn group(self) -> Group {
        match self {
            Self::Crash(_) => Group::Crash,
            Self::Disk(_) => Group::Disk,
            Self::Takeover => Group::Takeover,
            Self::Cancel => Group::Cancel,
            Self::Store(_) => Group::Store,
            Self::Attempt(_) => Group::Attempt,
            Self::Clock(_) => Group::Clock,
            Self::Breach(_) => Group::Breach,
            Self::Service(_) => Group::Service,
            Self::Switch(_) => Group::Switch,
            Self::Order(_) => Group::Order,
        }
    }

    /// Every kind of fault, group by group. An argument is the least one.
    pub fn kinds() -> impl Iterator<Item = Self> {
        Group::KINDS.iter().flat_map(|group| group.kinds())
    }

    /// The kind: the same for all faults that differ in nothing but their argument.
    #[must_use]
    pub fn kind(self) -> Self {
        text_of(self).argument.kind().unwrap_or(self)
    }

    /// Whether it makes a difference only where somebody can do something in the meantime.
    pub(crate) fn needs_company(self) -> bool {
        matches!(self, Self::Store(fault) if fault.is_slow())
    }

    /// A sentence for people. Its wording may change in any release.
    pub fn prose(self) -> String {
        let text = text_of(self);
        text.in_prose(text.argument.value())
    }

    /// The name of the kind, with `N` or `KEPT` for any argument: `lost-row=N`.
    pub fn pattern(self) -> String {
        let text = text_of(self);
        text.named(text.argument.placeholder())
    }

    /// The sentence of the kind, with `N` or `KEPT` for any argument.
    pub fn kind_prose(self) -> String {
        let text = text_of(self);
        text.in_prose(text.argument.placeholder())
    }
}

impl Group {
    /// Every kind of fault in this group. An argument is the least one.
    pub fn kinds(self) -> Vec<Fault> {
        fn of<K: Copy>(kinds: &[K], fault: fn(K) -> Fault) -> Vec<Fault> {
            kinds.iter().copied().map(fault).collect()
        }
        match self {
            Self::Crash => of(Crash::KINDS, Fault::Crash),
            Self::Store => of(StoreFault::KINDS, Fault::Store),
            Self::Disk => of(DiskFault::KINDS, Fault::Disk),
            Self::Attempt => of(AttemptFault::KINDS, Fault::Attempt),
            Self::Takeover => vec![Fault::Takeover],
            Self::Switch => vec![Fault::Switch(0)],
            Self::Cancel => vec![Fault::Cancel],
            Self::Clock => of(ClockFault::KINDS, Fault::Clock),
            Self::Breach => of(Breach::KINDS, Fault::Breach),
            Self::Order => vec![Fault::Order(0)],
            Self::Service => of(ServiceFault::KINDS, Fault::Service),
        }
    }
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl From<DiskFault> for Fault {
    fn from(fault: DiskFault) -> Self {
        Self::Disk(fault)
    }
}

impl From<ServiceFault> for Fault {
    fn from(fault: ServiceFault) -> Self {
        Self::Service(fault)
    }
}

impl From<AttemptFault> for Fault {
    fn from(fault: AttemptFault) -> Self {
        Self::Attempt(fault)
    }
}

impl fmt::Display for Fault {
    /// The stable name, with the argument behind a `=`: `crash`, `lost-row=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = text_of(*self);
        f.write_str(&text.named(text.argument.value()))
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    /// Reads a name as [`Display`](fmt::Display) writes it.
    fn from_str(text: &str) -> Result<Self, BadFault> {
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let kind = Self::kinds().find(|kind| text_of(*kind).name == name);
        let kind = kind.ok_or_else(|| BadFault::Unknown(text.to_owned()))?;
        let fault = match argument {
            None => text_of(kind).argument.kind().is_none().then_some(kind),
            Some(argument) => text_of(kind).argument.fault_with(argument),
        };
        fault.ok_or_else(|| BadFault::Argument {
            found: text.to_owned(),
            expected: kind.pattern(),
        })
    }
}

/// Why a text names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFault {
    /// No fault has this name.
    #[error("unknown fault {0:?}; the faults are {patterns}", patterns = patterns())]
    Unknown(String),
    /// The fault has another argument, or none.
    #[error("{found:?} is not written like {expected}")]
    Argument {
        /// The text.
        found: String,
        /// The [pattern](Fault::pattern) of the fault.
        expected: String,
    },
}

fn patterns() -> String {
    let patterns: Vec<String> = Fault::kinds().map(Fault::pattern).collect();
    patterns.join(", ")
}

/// A fault that fired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fired {
    /// The name of the instant.
    pub point: SmolStr,
    /// What happened there.
    pub fault: Fault,
}

/// What the label of a draw has behind the instant, where a life was drawn that runs next.
const SWITCH_SUFFIX: &str = ", switch";

/// The same where a task of a life was drawn that goes on.
const ORDER_SUFFIX: &str = ", order";

impl Fired {
    /// The label of the draw that chose this fault.
    pub(crate) fn label(&self) -> SmolStr {
        match self.fault {
            Fault::Switch(_) => switch_label(&self.point),
            Fault::Order(_) => order_label(&self.point),
            Fault::Crash(_)
            | Fault::Disk(_)
            | Fault::Takeover
            | Fault::Cancel
            | Fault::Store(_)
            | Fault::Attempt(_)
            | Fault::Clock(_)
            | Fault::Breach(_)
            | Fault::Service(_) => self.point.clone(),
        }
    }

    /// The instant and the fault by their names, and the fault's sentence as a remark.
    pub fn remarked(&self) -> String {
        format!("{self} ({})", self.fault.prose())
    }

    /// Whether the name of the instant can be told from the text around it.
    fn is_plain(&self) -> bool {
        let point = &self.point;
        let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !['"', '\\', ';'].contains(&c);
        point.chars().all(plain) && point.trim() == point && !point.contains(": ")
    }
}

/// The label of the draw of which life runs next, at an instant of this name.
pub(crate) fn switch_label(point: &str) -> SmolStr {
    format_smolstr!("{point}{SWITCH_SUFFIX}")
}

/// The label of the draw of which task of a life goes on, at an instant of this name.
pub(crate) fn order_label(point: &str) -> SmolStr {
    format_smolstr!("{point}{ORDER_SUFFIX}")
}

impl fmt::Display for Fired {
    /// `at INSTANT: FAULT`. The instant is in quotes where it could be misread.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { point, fault } = self;
        if self.is_plain() {
            write!(f, "at {point}: {fault}")
        } else {
            write!(f, "at {}: {fault}", serde_json::Value::from(point.as_str()))
        }
    }
}
