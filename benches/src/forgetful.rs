//! A store that accepts rows and keeps none, so that a transition costs only the engine's own work.

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error};

/// A [`CheckpointStore`] that acknowledges every row and forgets it. It keeps no promise of the
/// contract and is for benchmarks only: the engine always has a store, and this is as close as it
/// comes to having none.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForgetfulStore;

#[async_trait]
impl CheckpointStore for ForgetfulStore {
    async fn append(&self, _: &str, _: CheckpointRow) -> Result<(), Error> {
        Ok(())
    }

    async fn load_run(&self, _: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(Vec::new())
    }

    async fn clear(&self, _: &str) -> Result<(), Error> {
        Ok(())
    }
}
