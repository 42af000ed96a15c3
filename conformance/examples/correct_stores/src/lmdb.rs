//! Rows in LMDB.

use std::path::Path;

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};
use lmdb::{Cursor, Database, DatabaseFlags, Environment, RwTransaction, Transaction, WriteFlags};

pub use lmdb::EnvironmentFlags;

use crate::Rows;
use crate::bytes::{decode, encode, key, prefix, sequence_of};

/// LMDB takes keys of up to 511 bytes. Longer ids are refused.
const ID_BYTES_MAX: usize = 495;

/// An open environment, which is closed when this is dropped.
#[derive(Debug)]
pub struct Lmdb {
    env: Environment,
    rows: Database,
}

fn failed(error: lmdb::Error) -> Error {
    Error::unknown_outcome(format!("LMDB: {error}"))
}

impl Lmdb {
    /// Opens the environment in a directory, or creates it there.
    ///
    /// # Errors
    ///
    /// If the directory can't be read or written.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::open_with(directory, EnvironmentFlags::empty(), 1 << 30)
    }

    /// Opens the environment with flags, which may give durability away, and a bound on its size in bytes.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(
        directory: &Path,
        flags: EnvironmentFlags,
        bytes_max: usize,
    ) -> Result<Self, Error> {
        // One for each thread that reads at a time. With too few, loads fail.
        const READERS: u32 = 512;
        let mut options = Environment::new();
        options.set_map_size(bytes_max).set_max_readers(READERS);
        options.set_flags(flags);
        let env = options.open(directory).map_err(failed)?;
        let rows = env
            .create_db(None, DatabaseFlags::empty())
            .map_err(failed)?;
        Ok(Self { env, rows })
    }

    /// Removes the rows with these keys in one transaction.
    fn remove(&self, mut txn: RwTransaction<'_>, keys: &[Vec<u8>]) -> lmdb::Result<()> {
        for key in keys {
            txn.del(self.rows, key, None)?;
        }
        txn.commit()
    }
}

/// The keys and values of a run.
fn entries(
    txn: &impl Transaction,
    rows: Database,
    id: &str,
) -> lmdb::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let prefix = prefix(id);
    let mut cursor = txn.open_ro_cursor(rows)?;
    let mut entries = Vec::new();
    for entry in cursor.iter_from(&prefix) {
        let (key, value) = entry?;
        if !key.starts_with(&prefix) {
            break;
        }
        entries.push((key.to_vec(), value.to_vec()));
    }
    Ok(entries)
}

impl Rows for Lmdb {
    fn append(&mut self, id: &str, row: CheckpointRow) -> Result<(), Error> {
        if id.len() > ID_BYTES_MAX {
            let length = id.len();
            return Err(Error::unavailable(format!(
                "an id of {length} bytes is too long"
            )));
        }
        let mut txn = self.env.begin_rw_txn().map_err(failed)?;
        let key = key(id, row.sequence);
        match txn.put(self.rows, &key, &encode(&row), WriteFlags::NO_OVERWRITE) {
            Err(lmdb::Error::KeyExist) => Err(Error::conflict(id, row.sequence)),
            Err(error) => Err(failed(error)),
            Ok(()) => txn.commit().map_err(failed),
        }
    }

    fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        if id.len() > ID_BYTES_MAX {
            return Ok(Vec::new());
        }
        let txn = self.env.begin_ro_txn().map_err(failed)?;
        let mut rows = Vec::new();
        for (key, value) in entries(&txn, self.rows, id).map_err(failed)? {
            let row = sequence_of(&key).and_then(|sequence| decode(sequence, &value));
            rows.push(row.ok_or_else(|| {
                StoreError::new(StoreErrorKind::Damaged, format!("a row of run {id:?}"))
            })?);
        }
        Ok(rows)
    }

    fn clear(&mut self, id: &str) -> Result<(), Error> {
        if id.len() > ID_BYTES_MAX {
            return Ok(());
        }
        let txn = self.env.begin_rw_txn().map_err(failed)?;
        let found = entries(&txn, self.rows, id).map_err(failed)?;
        let keys: Vec<Vec<u8>> = found.into_iter().map(|(key, _)| key).collect();
        self.remove(txn, &keys).map_err(failed)
    }
}
