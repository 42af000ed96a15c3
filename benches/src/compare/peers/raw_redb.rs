//! redb with nothing around it: a two-phase commit for each row, within the caller's poll.

use std::path::Path;

use async_trait::async_trait;
use redb::{Database, ReadableDatabase as _, Table, TableDefinition};

use crate::peers::{Subject, VALUE};

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

pub(crate) struct Store(Database);

impl Store {
    pub(crate) fn open(folder: &Path) -> Self {
        let store = Self(Database::create(folder.join("store")).expect("the disk takes it"));
        store.write(|_| Ok(())).expect("the disk takes it");
        store
    }

    fn write(
        &self,
        change: impl FnOnce(
            &mut Table<'_, (&'static str, u64), &'static [u8]>,
        ) -> Result<(), redb::Error>,
    ) -> Result<(), redb::Error> {
        let mut transaction = self.0.begin_write()?;
        transaction.set_two_phase_commit(true);
        change(&mut transaction.open_table(ROWS)?)?;
        Ok(transaction.commit()?)
    }

    fn count(&self, id: &str) -> Result<usize, redb::Error> {
        let table = self.0.begin_read()?.open_table(ROWS)?;
        let mut rows = Vec::new();
        for entry in table.range((id, 0)..=(id, u64::MAX))? {
            rows.push(entry?.1.value().to_vec());
        }
        Ok(rows.len())
    }
}

#[async_trait]
impl Subject for Store {
    async fn append(&self, id: &str, sequence: u64) {
        let written = self.write(|rows| {
            let before = rows.insert((id, sequence), &[0x5a; VALUE][..])?;
            assert!(before.is_none(), "it is free");
            Ok(())
        });
        written.expect("the disk takes it");
    }

    async fn clear(&self, id: &str) {
        let range = (id, 0)..=(id, u64::MAX);
        let cleared = self.write(|rows| Ok(rows.retain_in(range, |_, _| false)?));
        cleared.expect("the disk takes it");
    }

    async fn load(&self, id: &str) -> usize {
        self.count(id).expect("it is whole")
    }
}
