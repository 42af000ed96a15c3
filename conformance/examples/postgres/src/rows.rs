//! The table: its statements, and its rows.

use crashpoint::{CheckpointRow, Error, RowKind, StoreError, StoreErrorKind};
use deadpool_postgres::Client;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error as PgError, IsolationLevel, Row};

/// The statements of one text are one transaction. The lock keeps two creations apart: even with `IF NOT
/// EXISTS`, one of them would fail.
const CREATE_TABLE: &str = "
    SELECT pg_advisory_xact_lock(hashtextextended('checkpoint_rows', 0));
    CREATE TABLE IF NOT EXISTS checkpoint_rows (
        workflow_id bytea    NOT NULL,
        sequence    bigint   NOT NULL,
        kind        smallint NOT NULL,
        state       bytea    NOT NULL,
        task        bytea    NOT NULL,
        blob        bytea,
        PRIMARY KEY (workflow_id, sequence)
    )";

/// The first setting with which the server may lose what it has acknowledged.
const UNSAFE_SETTING: &str = "
    SELECT name || ' = ' || setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
    UNION ALL SELECT 'it is a standby' WHERE pg_is_in_recovery()
    LIMIT 1";

// ANCHOR: insert
/// The run is locked before its row is inserted, and until the commit.
const INSERT: &str = "
    WITH locked AS MATERIALIZED (
        SELECT pg_advisory_xact_lock_shared(hashtextextended(encode($1::bytea, 'hex'), 0))
    )
    INSERT INTO checkpoint_rows (workflow_id, sequence, kind, state, task, blob)
    SELECT $1::bytea, $2::bigint, $3::smallint, $4::bytea, $5::bytea, $6::bytea FROM locked
    ON CONFLICT DO NOTHING";
// ANCHOR_END: insert

const SELECT: &str = "
    SELECT sequence, kind, state, task, blob FROM checkpoint_rows WHERE workflow_id = $1
    ORDER BY sequence";

const SELECT_IDS: &str = "
    SELECT DISTINCT workflow_id FROM checkpoint_rows
    WHERE $1::bytea IS NULL OR workflow_id > $1
    ORDER BY workflow_id LIMIT $2";

const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))";

const BEGINS_WITH: &str = "
    SELECT sequence = $2 AND kind = $3 AND state = $4 AND task = $5 AND blob IS NOT DISTINCT FROM $6
    FROM checkpoint_rows WHERE workflow_id = $1 ORDER BY sequence LIMIT 1";

const DELETE: &str = "DELETE FROM checkpoint_rows WHERE workflow_id = $1";

pub(crate) async fn create_table(connection: &Client) -> Result<(), PgError> {
    connection.batch_execute(CREATE_TABLE).await
}

/// A setting with which the server may lose what it has acknowledged, if it has one.
pub(crate) async fn unsafe_setting(connection: &Client) -> Result<Option<String>, PgError> {
    let found = connection.query_opt(UNSAFE_SETTING, &[]).await?;
    found.map(|row| row.try_get(0)).transpose()
}

/// Inserts a row, and returns whether its sequence was free.
pub(crate) async fn insert(
    connection: &Client,
    id: &str,
    row: &CheckpointRow,
) -> Result<bool, PgError> {
    let insert = connection.prepare_cached(INSERT).await?;
    let columns = Columns::of(id, row);
    let inserted = connection.execute(&insert, &columns.parameters()).await?;
    Ok(inserted == 1)
}

pub(crate) async fn select(connection: &Client, id: &str) -> Result<Vec<Row>, PgError> {
    let select = connection.prepare_cached(SELECT).await?;
    connection.query(&select, &[&id.as_bytes()]).await
}

pub(crate) async fn select_ids(
    connection: &Client,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Row>, PgError> {
    let select = connection.prepare_cached(SELECT_IDS).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .query(&select, &[&after.map(str::as_bytes), &limit])
        .await
}

/// Deletes the rows of a run, if it begins with the row `first` or no row is given. Returns whether it did.
pub(crate) async fn delete(
    connection: &mut Client,
    id: &str,
    first: Option<&CheckpointRow>,
) -> Result<bool, PgError> {
    // Each statement has its own snapshot, so that the deletion sees what was committed before the lock.
    let transaction = connection
        .build_transaction()
        .isolation_level(IsolationLevel::ReadCommitted)
        .start()
        .await?;
    let lock = transaction.prepare_cached(LOCK).await?;
    transaction.execute(&lock, &[&id.as_bytes()]).await?;
    if let Some(row) = first {
        let begins = transaction.prepare_cached(BEGINS_WITH).await?;
        let columns = Columns::of(id, row);
        let found = transaction
            .query_opt(&begins, &columns.parameters())
            .await?;
        let begins: Option<bool> = found.map(|found| found.try_get(0)).transpose()?;
        if begins != Some(true) {
            return Ok(false);
        }
    }
    let delete = transaction.prepare_cached(DELETE).await?;
    transaction.execute(&delete, &[&id.as_bytes()]).await?;
    transaction.commit().await?;
    Ok(true)
}

/// A row as the table has it, in the order of the columns.
struct Columns<'a> {
    id: &'a [u8],
    sequence: i64,
    kind: i16,
    state: &'a [u8],
    task: &'a [u8],
    blob: Option<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(id: &'a str, row: &'a CheckpointRow) -> Self {
        Self {
            id: id.as_bytes(),
            sequence: shifted(row.sequence),
            kind: i16::from(row.kind.code()),
            state: row.state.as_bytes(),
            task: row.task_id.as_bytes(),
            blob: row.output_blob.as_deref(),
        }
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 6] {
        [
            &self.id,
            &self.sequence,
            &self.kind,
            &self.state,
            &self.task,
            &self.blob,
        ]
    }
}

/// The row that was stored. `what` names the operation in an error.
pub(crate) fn decoded(row: &Row, what: impl Fn() -> String) -> Result<CheckpointRow, Error> {
    let sequence = row.try_get(0).map_err(|error| damaged(&what, &error))?;
    let kind: i16 = row.try_get(1).map_err(|error| damaged(&what, &error))?;
    let code = u8::try_from(kind).map_err(|error| damaged(&what, &error))?;
    let state = text(row, 2, &what)?;
    let mut decoded = CheckpointRow::new(unshifted(sequence), state, text(row, 3, &what)?);
    decoded.kind = RowKind::try_from(code).map_err(|error| damaged(&what, &error))?;
    decoded.output_blob = row.try_get(4).map_err(|error| damaged(&what, &error))?;
    Ok(decoded)
}

/// The text in a column of bytes.
pub(crate) fn text(row: &Row, column: usize, what: impl Fn() -> String) -> Result<String, Error> {
    let bytes: Vec<u8> = row
        .try_get(column)
        .map_err(|error| damaged(&what, &error))?;
    String::from_utf8(bytes).map_err(|error| damaged(&what, &error))
}

fn damaged(what: impl Fn() -> String, error: &dyn std::error::Error) -> Error {
    let message = format!("{}: {error}", what());
    StoreError::new(StoreErrorKind::Damaged, message).into()
}

/// Maps sequences to signed integers and keeps their order.
const fn shifted(sequence: u64) -> i64 {
    (sequence ^ (1 << 63)).cast_signed()
}

const fn unshifted(stored: i64) -> u64 {
    stored.cast_unsigned() ^ (1 << 63)
}
