//! Harnesses of the built-in stores: how each is opened, and what it claims.

use std::path::PathBuf;
use std::sync::OnceLock;

use crashpoint::{MemoryCheckpointStore, RedbCheckpointStore, TokioRuntime};
use crashpoint_conformance::{BoxError, Claim, Damage, Harness, Hook, Name, Options, Place, claim};

use crate::certificate::removable::{RemovableDisk, bring_back, take_away};

/// The folder of the stores' places. A harness has no fields, so it is global.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Puts the places of all stores into `folder` from now on.
pub(super) fn place_in(folder: PathBuf) {
    // One process certifies one store, so the folder is set once.
    let _ = FOLDER.set(folder);
}

/// A store of the engine, as a report names it.
pub(super) fn name(store: &str) -> Name {
    Name {
        package: Some("crashpoint".to_owned()),
        // All crates of the workspace have one version.
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        module: None,
        harness: store.to_owned(),
    }
}

fn options(reserved: &[&str]) -> Options {
    let mut options = Options::default();
    options.folder = FOLDER.get().cloned();
    options.reserved_names = reserved.iter().map(|name| (*name).to_owned()).collect();
    options
}

pub(super) struct Memory;

impl Memory {
    pub(super) const CLAIMS: &[Claim] = &[
        claim::limits,
        claim::any_executor,
        claim::outlives_runtime,
        claim::exclusive_scope,
        claim::fenced_cancellation,
        claim::settled,
        claim::listing,
    ];
}

impl Harness for Memory {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }

    fn options() -> Options {
        options(&[])
    }
}

pub(super) struct Redb;

impl Redb {
    // Its blocking work needs tokio's pool, so any executor will not do.
    pub(super) const CLAIMS: &[Claim] = &[
        claim::reopen,
        claim::limits,
        claim::outlives_runtime,
        claim::exclusive_scope,
        claim::fenced_cancellation,
        claim::settled,
        claim::process_crash,
        claim::power_loss,
        claim::many_processes,
        claim::outage,
        claim::corruption,
        claim::listing,
        claim::on_disk,
    ];
}

impl Harness for Redb {
    type Store = RedbCheckpointStore;

    async fn open(place: &Place) -> Result<RedbCheckpointStore, BoxError> {
        let path = place.path().join("runs.redb");
        let disk = RemovableDisk::new(place.path(), &path);
        Ok(RedbCheckpointStore::on_disk(&disk, TokioRuntime::new())?)
    }

    async fn break_backend(place: &Place) -> Result<Hook, BoxError> {
        take_away(place.path());
        Ok(Hook::Done)
    }

    async fn heal_backend(place: &Place) -> Result<Hook, BoxError> {
        bring_back(place.path());
        Ok(Hook::Done)
    }

    async fn corrupt(place: &Place, damage: Damage<'_>) -> Result<Hook, BoxError> {
        Ok(damage.flip_bit(place.path())?)
    }

    fn options() -> Options {
        let mut options = options(&["rows", "runs.redb", "meta"]);
        // After a disk error the store refuses everything, because the content of the disk is unknown.
        options.reopens_after_outage = true;
        options
    }
}
