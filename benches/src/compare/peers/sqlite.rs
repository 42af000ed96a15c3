//! SQLite with a write-ahead log and synchronous FULL: a transaction for each row, or group commit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::Connection;

use crate::group::{Batch, Group, Write};
use crate::peers::{BLOB, STATE, Subject, TASK};

/// One connection, off the executor.
pub(crate) struct Single(Arc<Mutex<Rows>>);

/// A connection that writes in groups, and a connection that reads.
pub(crate) struct Grouped {
    group: Group,
    reader: Arc<Mutex<Rows>>,
}

struct Rows(Connection);

impl Rows {
    fn open(folder: &Path) -> Self {
        Self(connection(&folder.join("store")).expect("the disk takes it"))
    }

    fn write(&self, write: &Write) -> rusqlite::Result<()> {
        match write {
            // The unique key refuses a duplicate.
            Write::Append { id, sequence } => {
                let mut insert = self
                    .0
                    .prepare_cached("INSERT INTO rows VALUES (?1, ?2, 0, ?3, ?4, ?5)")?;
                let sequence = sequence.cast_signed();
                insert.execute((id, sequence, STATE, TASK, [0x5a; BLOB]))?;
            }
            Write::Clear { id } => {
                let mut delete = self.0.prepare_cached("DELETE FROM rows WHERE id = ?1")?;
                delete.execute([id])?;
            }
        }
        Ok(())
    }

    fn count(&self, id: &str) -> rusqlite::Result<usize> {
        let mut select = self.0.prepare_cached(
            "SELECT sequence, kind, state, task, blob FROM rows WHERE id = ?1 ORDER BY sequence",
        )?;
        let rows = select.query_map([id], |row| {
            let texts: (String, String) = (row.get(2)?, row.get(3)?);
            let numbers: (i64, i64) = (row.get(0)?, row.get(1)?);
            let blob: Vec<u8> = row.get(4)?;
            Ok((numbers, texts, blob))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }
}

fn connection(file: &PathBuf) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS rows (id TEXT NOT NULL, sequence INTEGER NOT NULL,
         kind INTEGER NOT NULL, state TEXT NOT NULL, task TEXT NOT NULL, blob BLOB,
         PRIMARY KEY (id, sequence)) WITHOUT ROWID",
    )?;
    Ok(connection)
}

/// Does something with a connection on a thread that may block.
async fn blocking<T: Send + 'static>(
    rows: &Arc<Mutex<Rows>>,
    work: impl FnOnce(&Rows) -> rusqlite::Result<T> + Send + 'static,
) -> T {
    let rows = Arc::clone(rows);
    let done = tokio::task::spawn_blocking(move || work(&rows.lock().expect("nobody panics")));
    done.await
        .expect("nobody panics")
        .expect("the disk takes it")
}

impl Single {
    pub(crate) fn open(folder: &Path) -> Self {
        Self(Arc::new(Mutex::new(Rows::open(folder))))
    }
}

impl Grouped {
    pub(crate) fn open(folder: &Path) -> Self {
        Self {
            group: Group::new(Rows::open(folder)),
            reader: Arc::new(Mutex::new(Rows::open(folder))),
        }
    }
}

impl Batch for Rows {
    fn commit(&mut self, writes: &[Write]) {
        let all = || -> rusqlite::Result<()> {
            self.0.execute_batch("BEGIN IMMEDIATE")?;
            for write in writes {
                self.write(write)?;
            }
            self.0.execute_batch("COMMIT")
        };
        all().expect("the disk takes it");
    }
}

#[async_trait]
impl Subject for Single {
    async fn append(&self, id: &str, sequence: u64) {
        let id = id.to_owned();
        blocking(&self.0, move |rows| {
            rows.write(&Write::Append { id, sequence })
        })
        .await;
    }

    async fn clear(&self, id: &str) {
        let id = id.to_owned();
        blocking(&self.0, move |rows| rows.write(&Write::Clear { id })).await;
    }

    async fn load(&self, id: &str) -> usize {
        let id = id.to_owned();
        blocking(&self.0, move |rows| rows.count(&id)).await
    }
}

#[async_trait]
impl Subject for Grouped {
    async fn append(&self, id: &str, sequence: u64) {
        self.group.append(id, sequence).await;
    }

    async fn clear(&self, id: &str) {
        self.group.clear(id).await;
    }

    async fn load(&self, id: &str) -> usize {
        let id = id.to_owned();
        blocking(&self.reader, move |rows| rows.count(&id)).await
    }
}
