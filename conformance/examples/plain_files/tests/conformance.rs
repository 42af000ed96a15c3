//! The certificate: one test for each law.

use crashpoint_conformance::{BoxError, Harness, Place};
use plain_files::FileCheckpointStore;

struct Files;

impl Harness for Files {
    type Store = FileCheckpointStore;

    async fn open(place: &Place) -> Result<FileCheckpointStore, BoxError> {
        Ok(FileCheckpointStore::open(place.path())?)
    }
}

crashpoint_conformance::certify! {
    harness: Files,
    claims: [
        reopen,
        limits,
        any_executor,
        outlives_runtime,
        exclusive_scope,
        fenced_cancellation,
        settled,
        process_crash,
        power_loss,
    ],
}
