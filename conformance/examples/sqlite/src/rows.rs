//! The database: its table, its statements and its syncs.

use std::path::Path;

use crashpoint::{CheckpointRow, Error, RowKind, StoreError, StoreErrorKind};
use rusqlite::{Connection, ErrorCode, Row, params};

/// Commits between two checkpoints of the log, so that it stays a few megabytes long.
const COMMITS_PER_CHECKPOINT: u32 = 1_000;

/// An open database.
pub(crate) struct Rows {
    connection: Connection,
    commits: u32,
    /// Whether a write has failed, so that the state of the disk is unknown.
    failed: bool,
}

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let open = || -> rusqlite::Result<Self> {
            let connection = Connection::open(path)?;
            // The lock is held from the first transaction on.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            connection.execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS rows (
                     id       BLOB    NOT NULL,
                     sequence INTEGER NOT NULL,
                     kind     INTEGER NOT NULL,
                     state    TEXT    NOT NULL,
                     task     TEXT    NOT NULL,
                     blob     BLOB,
                     PRIMARY KEY (id, sequence)
                 ) STRICT, WITHOUT ROWID;
                 COMMIT",
            )?;
            Ok(Self {
                connection,
                commits: 0,
                failed: false,
            })
        };
        open().map_err(|error| {
            let path = path.display();
            Error::unavailable(format!("{path} can't be opened: {error}"))
        })
    }

    pub(crate) fn append(&mut self, id: &str, row: &CheckpointRow) -> Result<(), Error> {
        let values = params![
            id.as_bytes(),
            shifted(row.sequence),
            row.kind.code(),
            row.state,
            row.task_id,
            row.output_blob,
        ];
        let insert = "INSERT INTO rows VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write("append", id, |connection| {
            connection.prepare_cached(insert)?.execute(values)
        })
        .map_err(|fault| match fault {
            Fault::Taken => Error::conflict(id, row.sequence),
            Fault::Other(error) => error,
        })
    }

    pub(crate) fn load(&mut self, id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.refuse_after_failure()?;
        let read = || -> rusqlite::Result<Vec<CheckpointRow>> {
            let mut select = self.connection.prepare_cached(
                "SELECT sequence, kind, state, task, blob FROM rows WHERE id = ?1
                 ORDER BY sequence",
            )?;
            select.query_map([id.as_bytes()], decoded)?.collect()
        };
        read().map_err(|error| {
            let message = format!("load of run {id:?}: {error}");
            StoreError::new(StoreErrorKind::Damaged, message).into()
        })
    }

    pub(crate) fn clear(&mut self, id: &str) -> Result<(), Error> {
        self.write("clear", id, |connection| {
            let mut delete = connection.prepare_cached("DELETE FROM rows WHERE id = ?1")?;
            delete.execute([id.as_bytes()])
        })
        .map_err(|fault| match fault {
            Fault::Taken => Error::unavailable(format!("clear of run {id:?}: a key is taken")),
            Fault::Other(error) => error,
        })
    }

    /// Performs one statement, which is one transaction, and a checkpoint when one is due.
    fn write(
        &mut self,
        what: &str,
        id: &str,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<(), Fault> {
        self.refuse_after_failure().map_err(Fault::Other)?;
        let written = statement(&self.connection).and_then(|_| {
            self.commits += 1;
            if self.commits.is_multiple_of(COMMITS_PER_CHECKPOINT) {
                self.connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            }
            Ok(())
        });
        written.map_err(|error| {
            if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
                return Fault::Taken;
            }
            self.failed = true;
            let message = format!("{what} of run {id:?}: {error}");
            Fault::Other(Error::unknown_outcome(message))
        })
    }

    fn refuse_after_failure(&self) -> Result<(), Error> {
        if self.failed {
            return Err(Error::unavailable(
                "a write has failed; open the store again",
            ));
        }
        Ok(())
    }
}

enum Fault {
    Taken,
    Other(Error),
}

fn decoded(row: &Row<'_>) -> rusqlite::Result<CheckpointRow> {
    let code: u8 = row.get(1)?;
    let kind = RowKind::try_from(code).map_err(|error| {
        let integer = rusqlite::types::Type::Integer;
        rusqlite::Error::FromSqlConversionFailure(1, integer, Box::new(error))
    })?;
    let sequence = unshifted(row.get(0)?);
    let mut decoded =
        CheckpointRow::new(sequence, row.get::<_, String>(2)?, row.get::<_, String>(3)?);
    decoded.kind = kind;
    decoded.output_blob = row.get(4)?;
    Ok(decoded)
}

/// Maps sequences to signed integers and keeps their order.
const fn shifted(sequence: u64) -> i64 {
    (sequence ^ (1 << 63)).cast_signed()
}

const fn unshifted(stored: i64) -> u64 {
    stored.cast_unsigned() ^ (1 << 63)
}
