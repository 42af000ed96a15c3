//! The stores that are compared. Each makes a row durable before it acknowledges it.

mod fjall;
mod raw_log;
mod raw_redb;
mod redb_stores;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use clap::ValueEnum;

/// A row's blob, in bytes.
pub(crate) const BLOB: usize = 128;

/// The value of such a row where a store has no fields: as long as the embedded store's.
pub(crate) const VALUE: usize = BLOB + 27;

pub(crate) const STATE: &str = "Reserve";
pub(crate) const TASK: &str = "charge";

/// A store under measurement. Whatever goes wrong is a panic: a number that hides an error is none.
#[async_trait]
pub(crate) trait Subject: Send + Sync {
    async fn append(&self, id: &str, sequence: u64);

    async fn clear(&self, id: &str);

    /// How many rows the run has.
    async fn load(&self, id: &str) -> usize;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// The engine's embedded store.
    CrashpointRedb,
    /// The redb store of cano 0.12.
    #[value(name = "cano-0.12")]
    Cano012,
    /// The redb store of cano 0.15.
    #[value(name = "cano-0.15")]
    Cano015,
    /// SQLite, WAL, synchronous FULL, a transaction for each row.
    SqliteFull,
    /// The same, with group commit.
    SqliteFullGroup,
    /// fjall with group commit.
    FjallGroup,
    /// redb, a two-phase commit for each row, within the caller's poll.
    RawRedb,
    /// A log file with group commit; it can't be loaded.
    RawLog,
}

impl Peer {
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CrashpointRedb => "crashpoint-redb",
            Self::Cano012 => "cano-0.12",
            Self::Cano015 => "cano-0.15",
            Self::SqliteFull => "sqlite-full",
            Self::SqliteFullGroup => "sqlite-full-group",
            Self::FjallGroup => "fjall-group",
            Self::RawRedb => "raw-redb",
            Self::RawLog => "raw-log",
        }
    }

    pub(crate) fn can_load(&self) -> bool {
        *self != Self::RawLog
    }

    /// Opens the store in this folder, or makes it there.
    pub(crate) fn open(self, folder: &Path) -> Arc<dyn Subject> {
        match self {
            Self::CrashpointRedb => Arc::new(redb_stores::Crashpoint::open(folder)),
            Self::Cano012 => Arc::new(redb_stores::Cano012::open(folder)),
            Self::Cano015 => Arc::new(redb_stores::Cano015::open(folder)),
            Self::SqliteFull => Arc::new(sqlite::Single::open(folder)),
            Self::SqliteFullGroup => Arc::new(sqlite::Grouped::open(folder)),
            Self::FjallGroup => Arc::new(fjall::Store::open(folder)),
            Self::RawRedb => Arc::new(raw_redb::Store::open(folder)),
            Self::RawLog => Arc::new(raw_log::Store::open(folder)),
        }
    }
}
