//! A checkpoint store in a PostgreSQL database, which shows what a backend on a server must consider.
//!
//! # How the contract is kept
//!
//! - **Order and duplicates** follow from the primary key `(workflow_id, sequence)`. After `ON CONFLICT DO
//!   NOTHING` the number of inserted rows tells a conflict from an append.
//! - **Ids and texts** are `bytea`: compared byte by byte, and with NUL where a text has one. The server's
//!   `text` refuses NUL, and its collations may order or fold.
//! - **Sequences** are unsigned, and the server's integers are signed. They are stored shifted by 2^63, which
//!   keeps their order.
//! - **A clear locks its run before it deletes.** Under READ COMMITTED a `DELETE` does not see the rows that
//!   commit after its snapshot: beside an append it would remove one row and leave the next. So appends hold
//!   the run's advisory lock as sharers, and a clear holds it alone.
//! - **A load** is one statement, and so one snapshot.
//! - **Errors** say what is known. If the server answers with an error, it has rolled back. If it does not
//!   answer, or its session ends, the append may have been committed: [`Error::unknown_outcome`].
//! - **Durability** is the server's, so [`PostgresCheckpointStore::open`] refuses a server that acknowledges
//!   a commit before it is on the disk, and a standby.
//! - **Several servers** are the connections' business: name all of them, with `target_session_attrs=read-write`. A
//!   commit survives a failover if the primary waits for the standby (`synchronous_standby_names`).
//!
//! # What is missing
//!
//! - A statement that was sent goes on when its future is dropped, on one connection of the pool, and other
//!   connections do not wait for it. So the store neither claims that nothing lands late nor has an exclusive
//!   scope.
//! - Each append is a transaction with its own sync, which the server shares between its sessions at best.
//! - Rows have no checksum. The server has checksums of pages, where `initdb` was told so.
//!
//! `tests/conformance.rs` certifies it.

mod failure;
mod rows;

use std::fmt;
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ListRuns, checkpoint_store};
use deadpool_postgres::{Client, Object, Pool};
use tokio::time::timeout;

use crate::failure::Failure;

/// The longest id, in bytes. An entry of the server's index has at most a third of a page.
pub const ID_BYTES_MAX: usize = 2_000;

/// How long an operation waits for a connection of the pool.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// How long an operation waits for the server's answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// A [`CheckpointStore`] in the table `checkpoint_rows` of a PostgreSQL database. Share it as an `Arc`.
///
/// Several stores and several processes may use one table.
pub struct PostgresCheckpointStore {
    pool: Pool,
}

impl PostgresCheckpointStore {
    /// Opens the store, and creates its table in the first schema of the connections' `search_path`.
    ///
    /// The pool connects to the primary, and not through another pooler: statements are prepared once for each
    /// connection.
    ///
    /// # Errors
    ///
    /// If the server can't be reached, is a standby, or may lose what it has acknowledged: with `fsync`,
    /// `full_page_writes` or `synchronous_commit` off.
    pub async fn open(pool: Pool) -> Result<Self, Error> {
        let store = Self::open_unsynced(pool).await?;
        let connection = store.connection().await?;
        let settings = timeout(ANSWERED_WITHIN, rows::unsafe_setting(&connection)).await;
        match answered(connection, settings) {
            Ok(None) => Ok(store),
            Ok(Some(setting)) => Err(Error::unavailable(format!(
                "the server may lose acknowledged rows: {setting}"
            ))),
            Err(failure) => Err(failure.of("reading the server's settings")),
        }
    }

    /// Opens the store whatever the settings of the server, for rows that may be lost.
    ///
    /// # Errors
    ///
    /// If the server can't be reached, or the table can't be created.
    pub async fn open_unsynced(pool: Pool) -> Result<Self, Error> {
        let store = Self { pool };
        let connection = store.connection().await?;
        let created = timeout(ANSWERED_WITHIN, rows::create_table(&connection)).await;
        answered(connection, created).map_err(|failure| failure.of("creating the table"))?;
        Ok(store)
    }

    /// Takes a connection of the pool. Nothing was sent if this fails.
    async fn connection(&self) -> Result<Client, Error> {
        match timeout(CONNECTED_WITHIN, self.pool.get()).await {
            Ok(connection) => connection.map_err(|error| {
                Error::unavailable(format!("no connection to the server: {error}"))
            }),
            Err(_) => Err(Error::unavailable(format!(
                "no connection to the server within {CONNECTED_WITHIN:?}"
            ))),
        }
    }

    /// Clears a run, if it begins with the row `first` or no row is given. Returns whether it did.
    async fn clear_run(&self, id: &str, first: Option<&CheckpointRow>) -> Result<bool, Error> {
        let id = checked(id)?;
        let mut connection = self.connection().await?;
        let cleared = timeout(ANSWERED_WITHIN, rows::delete(&mut connection, id, first)).await;
        answered(connection, cleared).map_err(|failure| failure.of(&format!("clear of run {id:?}")))
    }
}

#[checkpoint_store]
impl CheckpointStore for PostgresCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = checked(workflow_id)?;
        let connection = self.connection().await?;
        let inserted = timeout(ANSWERED_WITHIN, rows::insert(&connection, id, &row)).await;
        match answered(connection, inserted) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::conflict(id, row.sequence)),
            Err(failure) => {
                let sequence = row.sequence;
                Err(failure.of(&format!("append of sequence {sequence} to run {id:?}")))
            }
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let id = checked(workflow_id)?;
        let connection = self.connection().await?;
        let selected = timeout(ANSWERED_WITHIN, rows::select(&connection, id)).await;
        let load = || format!("load of run {id:?}");
        let selected = answered(connection, selected).map_err(|failure| failure.of(&load()))?;
        selected
            .iter()
            .map(|row| rows::decoded(row, load))
            .collect()
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.clear_run(workflow_id, None).await?;
        Ok(())
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        self.clear_run(workflow_id, Some(first)).await
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[checkpoint_store]
impl ListRuns for PostgresCheckpointStore {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let connection = self.connection().await?;
        let selected = timeout(ANSWERED_WITHIN, rows::select_ids(&connection, after, limit)).await;
        let listing = || "listing of runs".to_owned();
        let selected = answered(connection, selected).map_err(|failure| failure.of(&listing()))?;
        selected
            .iter()
            .map(|row| rows::text(row, 0, listing))
            .collect()
    }
}

/// Refuses an id that no row can have. The index would refuse it too, but not in a load.
fn checked(id: &str) -> Result<&str, Error> {
    if id.len() > ID_BYTES_MAX {
        let length = id.len();
        return Err(Error::unavailable(format!(
            "an id of {length} bytes exceeds the limit of {ID_BYTES_MAX} bytes"
        )));
    }
    Ok(id)
}

/// What came of an operation on `connection`. The connection goes back to the pool if it has answered.
fn answered<T>(
    connection: Client,
    answer: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
) -> Result<T, Failure> {
    match answer {
        Ok(answer) => answer.map_err(Failure::Failed),
        Err(_) => {
            // A connection that is silent now may be silent for ever.
            drop(Object::take(connection));
            Err(Failure::Silent(ANSWERED_WITHIN))
        }
    }
}

impl fmt::Debug for PostgresCheckpointStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresCheckpointStore")
            .finish_non_exhaustive()
    }
}
