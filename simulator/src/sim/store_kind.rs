//! The stores that a simulation can use.

use std::fmt;
use std::str::FromStr;

use crate::disk::Lie;

/// The store under a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StoreKind {
    /// The engine's store in memory, whose rows survive every crash.
    #[default]
    Memory,
    /// The engine's embedded store on a simulated disk. Each change of the disk is a crash point,
    /// and a crash may include a power loss.
    Redb,
    /// The same on a disk that loses synced content: a canary that the oracles must catch.
    RedbLosingWrites,
    /// The same on a disk that loses a synced name.
    RedbLosingNames,
    /// The same under an operating system that omits the first sync of each operation and performs
    /// it with the next, so the order of two writes is not kept. A power loss shows the difference
    /// only if it keeps the later write.
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

    /// The lie of its disk, if it has a disk.
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

/// The name of an unknown store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown store {0:?}")]
pub struct UnknownStore(String);
