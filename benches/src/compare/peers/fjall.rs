//! fjall, an LSM tree, with group commit.

use std::path::Path;

use async_trait::async_trait;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::group::{Batch, Group, Write};
use crate::peers::{Subject, VALUE};

pub(crate) struct Store {
    rows: Keyspace,
    group: Group,
}

struct Rows {
    database: Database,
    rows: Keyspace,
}

impl Store {
    pub(crate) fn open(folder: &Path) -> Self {
        let database = Database::builder(folder.join("store")).open();
        let database = database.expect("the disk takes it");
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default);
        let rows = rows.expect("the disk takes it");
        let group = Group::new(Rows {
            database,
            rows: rows.clone(),
        });
        Self { rows, group }
    }
}

/// Ids here have no byte 0.
fn prefix(id: &str) -> Vec<u8> {
    [id.as_bytes(), &[0]].concat()
}

fn key(id: &str, sequence: u64) -> Vec<u8> {
    [&*prefix(id), &sequence.to_be_bytes()].concat()
}

impl Batch for Rows {
    fn commit(&mut self, writes: &[Write]) {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for write in writes {
            match write {
                Write::Append { id, sequence } => {
                    let key = key(id, *sequence);
                    let taken = self.rows.contains_key(&key).expect("it can be read");
                    assert!(!taken, "it is free");
                    batch.insert(&self.rows, key, [0x5a; VALUE]);
                }
                Write::Clear { id } => {
                    for entry in self.rows.prefix(prefix(id)) {
                        batch.remove(&self.rows, entry.key().expect("it can be read"));
                    }
                }
            }
        }
        batch.commit().expect("the disk takes it");
    }
}

#[async_trait]
impl Subject for Store {
    async fn append(&self, id: &str, sequence: u64) {
        self.group.append(id, sequence).await;
    }

    async fn clear(&self, id: &str) {
        self.group.clear(id).await;
    }

    async fn load(&self, id: &str) -> usize {
        let entries = self.rows.prefix(prefix(id));
        let rows = entries.map(|entry| entry.into_inner().expect("it is whole").1.to_vec());
        rows.collect::<Vec<_>>().len()
    }
}
