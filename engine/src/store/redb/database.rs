//! The database: how it is opened, and one transaction for each operation.

use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{
    Builder, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, WriteTransaction,
};

use crate::error::{Error, StoreError, StoreErrorKind};
use crate::recovery::CheckpointRow;
use crate::store::redb::disk::Disk;
use crate::store::redb::row_format::{self, FORMAT, VALUE_BYTES_MAX};

const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

/// What the file says of itself.
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
const ABOUT_FORMAT: &str = "format";

/// Pages kept in memory, in bytes. Appends touch the edges of a tree, so a small part of a large
/// file suffices.
const CACHE_BYTES: usize = 64 << 20;

/// A database that is open, or was until it failed.
pub(super) struct Database {
    redb: redb::Database,
    /// Why it can't be used any more.
    broken: Option<String>,
}

/// Why an operation came to nothing.
enum Failure {
    /// A refusal; the database is as good as before.
    Refused(Error),
    /// The database failed before anything was committed.
    Before(redb::Error),
    /// The database failed at the commit: it may have happened.
    Commit(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}

impl Database {
    /// Opens the file of a disk, created if there is none.
    pub(super) fn open(disk: &impl Disk) -> Result<Self, Error> {
        let opened = catch_unwind(AssertUnwindSafe(|| open_or_create(disk)));
        let opened = opened.unwrap_or_else(|panic| Err(NotOpened::Panicked(words_of(&*panic))));
        let redb = opened.map_err(|failure| failure.of(&disk.name()))?;
        Ok(Self { redb, broken: None })
    }

    pub(super) fn append(&mut self, workflow_id: &str, row: &CheckpointRow) -> Result<(), Error> {
        let sequence = row.sequence;
        let what = || format!("append of row {sequence} to run {workflow_id:?}");
        let value = row_format::encode(workflow_id, row);
        let Some(value) = value.filter(|value| value.len() + workflow_id.len() <= VALUE_BYTES_MAX)
        else {
            let bound = format!("with its id it is longer than {VALUE_BYTES_MAX} bytes");
            return Err(Error::unavailable(format!("{}: {bound}", what())));
        };
        self.perform(what, |redb| {
            let transaction = begin(redb)?;
            {
                let mut rows = transaction.open_table(ROWS)?;
                let key = (workflow_id, sequence);
                if rows.get(key)?.is_some() {
                    return Err(Failure::Refused(Error::conflict(workflow_id, sequence)));
                }
                rows.insert(key, value.as_slice())?;
            }
            commit(transaction)
        })
    }

    pub(super) fn load_run(&mut self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let what = || format!("load of run {workflow_id:?}");
        self.perform(what, |redb| {
            let table = redb.begin_read()?.open_table(ROWS)?;
            let mut rows = Vec::new();
            for entry in table.range((workflow_id, 0)..=(workflow_id, u64::MAX))? {
                let (key, value) = entry?;
                let (_, sequence) = key.value();
                let row = row_format::decode(workflow_id, sequence, value.value());
                rows.push(row.map_err(|damage| {
                    let message = format!("row {sequence} of run {workflow_id:?} is damaged");
                    let error = StoreError::new(StoreErrorKind::Damaged, message);
                    Failure::Refused(error.with_source(damage).into())
                })?);
            }
            Ok(rows)
        })
    }

    pub(super) fn clear(&mut self, workflow_id: &str) -> Result<(), Error> {
        let what = || format!("clear of run {workflow_id:?}");
        self.perform(what, |redb| {
            let transaction = begin(redb)?;
            let mut removed = false;
            {
                let mut rows = transaction.open_table(ROWS)?;
                rows.retain_in((workflow_id, 0)..=(workflow_id, u64::MAX), |_, _| {
                    removed = true;
                    false
                })?;
            }
            // Nothing to make durable: the transaction ends with its drop.
            if removed { commit(transaction) } else { Ok(()) }
        })
    }

    pub(super) fn run_ids(
        &mut self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let what = || "listing of runs".to_owned();
        self.perform(what, |redb| {
            let table = redb.begin_read()?.open_table(ROWS)?;
            let mut ids: Vec<String> = Vec::new();
            while ids.len() < limit {
                let last = ids.last().map(String::as_str).or(after);
                let from = last.map_or(Bound::Unbounded, |id| Bound::Excluded((id, u64::MAX)));
                let mut rest = table.range::<(&str, u64)>((from, Bound::Unbounded))?;
                let Some(entry) = rest.next() else { break };
                let next = entry?.0.value().0.to_owned();
                ids.push(next);
            }
            Ok(ids)
        })
    }

    /// Closes the file; an error then is one of tidying up, every commit is durable already.
    pub(super) fn close(self) {
        let closed = catch_unwind(AssertUnwindSafe(|| self.redb.close()));
        drop(closed);
    }

    fn perform<T>(
        &mut self,
        what: impl Fn() -> String,
        operation: impl FnOnce(&redb::Database) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        if let Some(reason) = &self.broken {
            let message = format!("{}: the store has failed before ({reason})", what());
            return Err(Error::unavailable(message + "; open it again"));
        }
        let redb = &self.redb;
        let done = catch_unwind(AssertUnwindSafe(|| operation(redb)));
        let (kind, reason, source) = match done {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(Failure::Refused(error))) => return Err(error),
            Ok(Err(Failure::Before(error))) => (kind_of(&error), error.to_string(), Some(error)),
            Ok(Err(Failure::Commit(error))) => (
                StoreErrorKind::UnknownOutcome,
                error.to_string(),
                Some(error),
            ),
            // A page that is no page; redb trusts the pages that it reads.
            Err(panic) => (StoreErrorKind::UnknownOutcome, words_of(&*panic), None),
        };
        self.broken = Some(reason.clone());
        let error = StoreError::new(kind, format!("{}: {reason}", what()));
        Err(match source {
            Some(source) => error.with_source(source).into(),
            None => error.into(),
        })
    }
}

/// The only way to a write transaction: every one commits in two phases. With the header written in
/// the same flush as what it points to, a failed sync and a later power loss lose the file.
fn begin(redb: &redb::Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = redb.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// What an error of redb's says of an operation that committed nothing.
fn kind_of(error: &redb::Error) -> StoreErrorKind {
    match error {
        redb::Error::Corrupted(_) => StoreErrorKind::Damaged,
        // So redb says that a file is none of its own, and the system that a file was cut short.
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ) =>
        {
            StoreErrorKind::Damaged
        }
        redb::Error::UpgradeRequired(_) => StoreErrorKind::Other,
        _ => StoreErrorKind::Unavailable,
    }
}

fn commit(transaction: WriteTransaction) -> Result<(), Failure> {
    transaction
        .commit()
        .map_err(|error| Failure::Commit(error.into()))
}

/// Why there is no database.
enum NotOpened {
    Disk(io::Error),
    Redb(redb::Error),
    Empty,
    Foreign,
    Newer(u64),
    Panicked(String),
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<redb::TransactionError> for NotOpened {
    fn from(error: redb::TransactionError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::StorageError> for NotOpened {
    fn from(error: redb::StorageError) -> Self {
        Self::Redb(error.into())
    }
}

impl From<redb::TableError> for NotOpened {
    fn from(error: redb::TableError) -> Self {
        match error {
            redb::TableError::Storage(error) => error.into(),
            // It is not there, or of other types.
            _ => Self::Foreign,
        }
    }
}

fn open_or_create<D: Disk>(disk: &D) -> Result<redb::Database, NotOpened> {
    if let Some(file) = disk.open()? {
        return open_file(file);
    }
    let draft = disk.draft()?;
    create_in(disk.open_draft(&draft)?).map_err(NotOpened::Redb)?;
    match disk.publish(draft) {
        // Another process was faster, and this is its store.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        published => published?,
    }
    let vanished = || io::Error::from(ErrorKind::NotFound);
    open_file(disk.open()?.ok_or_else(vanished)?)
}

/// Writes an empty store into an empty file.
fn create_in(file: impl StorageBackend) -> Result<(), redb::Error> {
    let redb = builder().create_with_backend(file)?;
    let transaction = begin(&redb)?;
    transaction.open_table(ROWS)?;
    transaction
        .open_table(ABOUT)?
        .insert(ABOUT_FORMAT, FORMAT)?;
    transaction.commit()?;
    Ok(redb.close()?)
}

fn open_file(file: impl StorageBackend) -> Result<redb::Database, NotOpened> {
    // redb would make a new database of it.
    if file.len()? == 0 {
        return Err(NotOpened::Empty);
    }
    let redb = builder()
        .set_check_integrity_on_open(true)
        .create_with_backend(file)
        .map_err(|error| NotOpened::Redb(error.into()))?;
    match format_of(&redb)? {
        FORMAT => Ok(redb),
        newer if newer > FORMAT => Err(NotOpened::Newer(newer)),
        _ => Err(NotOpened::Foreign),
    }
}

/// The format that the file says it has, if it has the tables of a store.
fn format_of(redb: &redb::Database) -> Result<u64, NotOpened> {
    let read = redb.begin_read()?;
    let about = read.open_table(ABOUT)?;
    let format = about.get(ABOUT_FORMAT)?.ok_or(NotOpened::Foreign)?.value();
    // Another format may have other tables.
    if format == FORMAT {
        read.open_table(ROWS)?;
    }
    Ok(format)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl NotOpened {
    fn of(self, place: &str) -> Error {
        let store = |kind, reason: &str| StoreError::new(kind, format!("{place}: {reason}"));
        let (damaged, unavailable) = (StoreErrorKind::Damaged, StoreErrorKind::Unavailable);
        let error = match self {
            Self::Disk(error) => store(unavailable, &error.to_string()).with_source(error),
            Self::Redb(redb::Error::DatabaseAlreadyOpen) => store(
                unavailable,
                "the store is open already, here or in another process",
            ),
            Self::Redb(error) => store(kind_of(&error), &error.to_string()).with_source(error),
            Self::Empty => store(
                damaged,
                "the file is empty, which a store never is; remove it to begin a new store",
            ),
            Self::Foreign => store(
                damaged,
                "the file is a redb database but no checkpoint store",
            ),
            Self::Newer(format) => store(
                StoreErrorKind::Other,
                &format!("the file has format {format}, and this version reads format {FORMAT}"),
            ),
            Self::Panicked(words) => store(damaged, &words),
        };
        error.into()
    }
}

/// What a panic said.
fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(ToString::to_string);
    let words = literal.or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "redb panicked".to_owned())
}
