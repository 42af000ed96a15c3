//! How the kit opens the store, for the certificate and for the benchmarks.

use std::fs;
use std::path::PathBuf;

use crashpoint_conformance::{BoxError, Damage, Harness, Hook, Options, Place};
use plain_files::FileCheckpointStore;

pub(crate) struct Files;

impl Harness for Files {
    type Store = FileCheckpointStore;

    async fn open(place: &Place) -> Result<FileCheckpointStore, BoxError> {
        Ok(FileCheckpointStore::open(place.path())?)
    }

    /// Moves the directory away, like a disk that is pulled out.
    async fn break_backend(place: &Place) -> Result<Hook, BoxError> {
        fs::rename(place.path(), away(place))?;
        Ok(Hook::Done)
    }

    async fn heal_backend(place: &Place) -> Result<Hook, BoxError> {
        fs::rename(away(place), place.path())?;
        Ok(Hook::Done)
    }

    /// Files contain blobs unchanged.
    async fn corrupt(place: &Place, damage: Damage<'_>) -> Result<Hook, BoxError> {
        Ok(damage.flip_bit(place.path())?)
    }

    fn options() -> Options {
        let mut options = Options::default();
        // After an error in a write the store rejects everything, since nobody knows what the disk has kept.
        options.reopens_after_outage = true;
        options
    }
}

fn away(place: &Place) -> PathBuf {
    place.path().with_extension("away")
}
