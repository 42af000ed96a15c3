//! The rows of the table of hazards of a store.

use std::fmt;

use crate::disk::{Call, Failure, Lasting, Lie};
use crate::images::crash::Mode;

/// A kind of crash, disk fault, or lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hazard {
    /// A crash of this mode.
    Crash(Mode),
    /// A call that fails.
    Error(Call, Lasting),
    /// No space.
    Full,
    /// A flipped bit.
    Rot,
    /// A lying disk. It has fired if an image broke a promise: it is the canary of all others.
    Lie(Lie),
}

/// How often a hazard was armed, and how often it fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Armed {
    /// The number of runs and images in which it was armed.
    pub armed: u64,
    /// Those in which it fired.
    pub fired: u64,
}

impl Hazard {
    /// Every hazard once.
    pub fn all() -> impl Iterator<Item = Self> {
        let crashes = Mode::ALL.into_iter().map(Self::Crash);
        let lasting = [Lasting::Once, Lasting::ForGood];
        let errors = Call::ALL
            .into_iter()
            .flat_map(move |call| lasting.map(|lasting| Self::Error(call, lasting)));
        let lies = [Lie::Writes, Lie::EveryNth(1), Lie::Names].map(Self::Lie);
        let others = [Self::Full, Self::Rot];
        crashes.chain(errors).chain(others).chain(lies)
    }

    pub(crate) fn of_fault(fault: Failure) -> Self {
        match fault {
            Failure::Broken { call, lasting, .. } => Self::Error(call, lasting),
            Failure::Full { .. } => Self::Full,
        }
    }

    /// The hazard of a lie, whatever its number. `None` for a disk that does not lie.
    pub(crate) fn of_lie(lie: Lie) -> Option<Self> {
        match lie {
            Lie::None => None,
            Lie::EveryNth(_) => Some(Self::Lie(Lie::EveryNth(1))),
            other => Some(Self::Lie(other)),
        }
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(mode) => write!(f, "crash: {mode}"),
            Self::Error(call, lasting) => {
                let call = match call {
                    Call::Read => "a read",
                    Call::Write => "a write",
                    Call::Sync => "a sync",
                };
                let every = match lasting {
                    Lasting::Once => "",
                    Lasting::ForGood => ", and every later call",
                };
                write!(f, "the disk fails {call}{every}")
            }
            Self::Full => f.write_str("the disk is full"),
            Self::Rot => f.write_str("a bit has flipped"),
            Self::Lie(lie) => f.write_str(match lie {
                Lie::None => "the disk tells the truth",
                Lie::Writes => "the disk lies about every sync, and is caught",
                Lie::EveryNth(_) => "the disk lies about some syncs, and is caught",
                Lie::Names => "the disk lies about the name, and is caught",
            }),
        }
    }
}
