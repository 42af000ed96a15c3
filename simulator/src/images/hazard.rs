//! What can befall a store in its images: one for each row of the table of what was seen.

use std::fmt;

use crate::disk::{Call, Failure, Lasting, Lie};
use crate::images::crash::Mode;

/// A kind of crash, of a fault of the disk, or of a lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hazard {
    /// A crash that leaves this.
    Crash(Mode),
    /// A call that fails.
    Error(Call, Lasting),
    /// No room.
    Full,
    /// A bit that turned over.
    Rot,
    /// A disk that lies. It has fired where an image broke a promise: this is the canary of all others.
    Lie(Lie),
}

/// How often a hazard was set up, and how often it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Armed {
    /// The runs and images that it was meant for.
    pub armed: u64,
    /// Those of them in which it fired.
    pub fired: u64,
}

impl Hazard {
    /// Each of them once.
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

    /// The kind of a lie, whatever its number; none of a disk that tells the truth.
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
                    Lasting::ForGood => ", and every one after it",
                };
                write!(f, "the disk fails {call}{every}")
            }
            Self::Full => f.write_str("the disk is full"),
            Self::Rot => f.write_str("a bit has turned over"),
            Self::Lie(lie) => f.write_str(match lie {
                Lie::None => "the disk tells the truth",
                Lie::Writes => "the disk lies about every sync, which is noticed",
                Lie::EveryNth(_) => "the disk lies about some syncs, which is noticed",
                Lie::Names => "the disk lies about the name, which is noticed",
            }),
        }
    }
}
