//! The stores that a simulation can have under its subject.

use std::fmt;
use std::str::FromStr;

use crate::disk::Lie;

/// A store under the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoreKind {
    /// The engine's store in memory, whose rows survive every crash.
    #[default]
    Memory,
    /// The engine's embedded store, on a simulated disk: each change of the disk is a crash point,
    /// and a crash may take the power.
    Redb,
    /// The same on a disk that loses what was synced: a canary, which the oracles have to notice.
    RedbLosingWrites,
    /// The same on a disk that loses a name that was synced.
    RedbLosingNames,
    /// The same under a system that leaves out the first sync of each operation, and makes up for it at
    /// the next: nothing keeps two writes in their order. A loss of power shows it only where it
    /// keeps the later one.
    RedbWithoutBarriers,
}

impl StoreKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Memory,
        Self::Redb,
        Self::RedbLosingWrites,
        Self::RedbLosingNames,
        Self::RedbWithoutBarriers,
    ];

    /// Its name in tokens and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redb => "redb",
            Self::RedbLosingWrites => "redb-losing-writes",
            Self::RedbLosingNames => "redb-losing-names",
            Self::RedbWithoutBarriers => "redb-without-barriers",
        }
    }

    /// How its disk lies, where it has one.
    pub(crate) const fn disk(self) -> Option<Lie> {
        match self {
            Self::Memory => None,
            Self::Redb | Self::RedbWithoutBarriers => Some(Lie::None),
            Self::RedbLosingWrites => Some(Lie::Writes),
            Self::RedbLosingNames => Some(Lie::Names),
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for StoreKind {
    type Err = UnknownStore;

    fn from_str(name: &str) -> Result<Self, UnknownStore> {
        let found = Self::ALL.iter().find(|kind| kind.name() == name);
        found.copied().ok_or_else(|| UnknownStore(name.to_owned()))
    }
}

/// A name that no store has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no store {0:?}")]
pub struct UnknownStore(String);
