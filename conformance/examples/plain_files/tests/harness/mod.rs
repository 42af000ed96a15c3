//! How the kit opens the store, for the certificate and for the benchmarks.

use crashpoint_conformance::{BoxError, Harness, Place};
use plain_files::FileCheckpointStore;

pub struct Files;

impl Harness for Files {
    type Store = FileCheckpointStore;

    async fn open(place: &Place) -> Result<FileCheckpointStore, BoxError> {
        Ok(FileCheckpointStore::open(place.path())?)
    }
}
