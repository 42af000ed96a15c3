//! The redb store of cano 0.15. It commits within the caller's poll.

use std::path::Path;

use async_trait::async_trait;
use cano_0_15::recovery::{CheckpointRow, CheckpointStore as _, RedbCheckpointStore};

use crate::peers::{BLOB, STATE, Subject, TASK};

pub(crate) struct Store(RedbCheckpointStore);

impl Store {
    pub(crate) fn open(folder: &Path) -> Self {
        Self(RedbCheckpointStore::new(folder.join("store")).expect("the disk takes it"))
    }
}

#[async_trait]
impl Subject for Store {
    async fn append(&self, id: &str, sequence: u64) {
        let row = CheckpointRow::new(sequence, STATE, TASK).with_output(vec![0x5a; BLOB]);
        self.0.append(id, row).await.expect("it is free");
    }

    async fn clear(&self, id: &str) {
        self.0.clear(id).await.expect("the disk takes it");
    }

    async fn load(&self, id: &str) -> usize {
        self.0.load_run(id).await.expect("it is whole").len()
    }
}
