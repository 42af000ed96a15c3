//! The stores on redb that have the same contract: the engine's, and those of two releases of the
//! reference crate, which commit within the caller's poll.

use std::path::Path;

use async_trait::async_trait;

use crate::peers::{BLOB, STATE, Subject, TASK};

/// A subject on the `RedbCheckpointStore` of a crate; the three differ in the crate alone.
macro_rules! redb_store {
    ($name:ident, $($path:ident)::+) => {
        pub(crate) struct $name($($path)::+::RedbCheckpointStore);

        impl $name {
            pub(crate) fn open(folder: &Path) -> Self {
                let store = $($path)::+::RedbCheckpointStore::new(folder.join("store"));
                Self(store.expect("the disk takes it"))
            }
        }

        #[async_trait]
        impl Subject for $name {
            async fn append(&self, id: &str, sequence: u64) {
                use $($path)::+::{CheckpointRow, CheckpointStore as _};
                let row = CheckpointRow::new(sequence, STATE, TASK).with_output(vec![0x5a; BLOB]);
                self.0.append(id, row).await.expect("it is free");
            }

            async fn clear(&self, id: &str) {
                use $($path)::+::CheckpointStore as _;
                self.0.clear(id).await.expect("the disk takes it");
            }

            async fn load(&self, id: &str) -> usize {
                use $($path)::+::CheckpointStore as _;
                self.0.load_run(id).await.expect("it is whole").len()
            }
        }
    };
}

redb_store!(Crashpoint, crashpoint);
redb_store!(Cano012, cano::recovery);
redb_store!(Cano015, cano_0_15::recovery);
