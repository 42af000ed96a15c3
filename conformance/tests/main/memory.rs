//! The engine's store in memory keeps every law of its claims.

use crashpoint::MemoryCheckpointStore;
use crashpoint_conformance::{BoxError, Harness, Place};

pub(crate) struct Memory;

impl Harness for Memory {
    type Store = MemoryCheckpointStore;

    async fn open(_place: &Place) -> Result<MemoryCheckpointStore, BoxError> {
        Ok(MemoryCheckpointStore::new())
    }
}

crashpoint_conformance::certify! {
    harness: Memory,
    claims: [limits, any_executor, outlives_runtime, exclusive_scope, fenced_cancellation, settled, listing],
}
