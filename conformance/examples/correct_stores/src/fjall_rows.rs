//! Rows in fjall, with each commit synced.

use std::path::Path;

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::Rows;
use crate::bytes::{decode, encode, key, prefix, sequence_of};

/// An open database.
pub struct Fjall {
    database: Database,
    rows: Keyspace,
}

fn failed(error: &fjall::Error) -> Error {
    Error::unknown_outcome(format!("fjall: {error}"))
}

impl std::fmt::Debug for Fjall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fjall").finish_non_exhaustive()
    }
}

impl Fjall {
    /// Opens the database in a directory, or creates it there.
    ///
    /// # Errors
    ///
    /// If the directory can't be read or written.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let open = || -> fjall::Result<Self> {
            let database = Database::builder(directory).open()?;
            let rows = database.keyspace("rows", KeyspaceCreateOptions::default)?;
            Ok(Self { database, rows })
        };
        open().map_err(|error| failed(&error))
    }
}

/// fjall takes keys of up to 65,536 bytes. Longer ids are refused.
const ID_BYTES_MAX: usize = 60_000;

impl Rows for Fjall {
    fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if id.len() > ID_BYTES_MAX {
            let length = id.len();
            return Err(Error::unavailable(format!(
                "an id of {length} bytes is too long"
            )));
        }
        let key = key(id, row.sequence);
        let write = || -> fjall::Result<bool> {
            if self.rows.contains_key(&key)? {
                return Ok(false);
            }
            let batch = self.database.batch();
            let mut batch = batch.durability(Some(PersistMode::SyncAll));
            batch.insert(&self.rows, key.clone(), encode(&row));
            batch.commit()?;
            Ok(true)
        };
        match write() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::conflict(id, row.sequence)),
            Err(error) => Err(failed(&error)),
        }
    }

    fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        if id.len() > ID_BYTES_MAX {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for entry in self.rows.prefix(prefix(id)) {
            let (key, value) = entry.into_inner().map_err(|error| failed(&error))?;
            let row = sequence_of(&key).and_then(|sequence| decode(sequence, &value));
            let damaged =
                || StoreError::new(StoreErrorKind::Damaged, format!("a row of run {id:?}"));
            rows.push(row.ok_or_else(damaged)?);
        }
        Ok(rows)
    }

    fn clear(&mut self, id: &str) -> Result<(), Error> {
        if id.len() > ID_BYTES_MAX {
            return Ok(());
        }
        let clear = || -> fjall::Result<()> {
            let batch = self.database.batch();
            let mut batch = batch.durability(Some(PersistMode::SyncAll));
            for entry in self.rows.prefix(prefix(id)) {
                batch.remove(&self.rows, entry.key()?);
            }
            batch.commit()
        };
        clear().map_err(|error| failed(&error))
    }
}
