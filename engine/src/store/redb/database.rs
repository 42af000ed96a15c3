//! The database: a batch of operations in one transaction.

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use redb::{ReadableDatabase, Table};

use crate::error::{Error, StoreError, StoreErrorKind};
use crate::foreign::quoted;
use crate::recovery::CheckpointRow;
use crate::store::redb::batch;
use crate::store::redb::disk::Disk;
use crate::store::redb::failure::{kind_of, words_of};
use crate::store::redb::opening::{self, OpenCheck};
use crate::store::redb::operation::{Answer, Operation};
use crate::store::redb::row_format::{self, VALUE_BYTES_MAX};
use crate::store::redb::tables::{ROWS, begin};

type Rows<'t> = Table<'t, (&'static str, u64), &'static [u8]>;

/// A database that is open, or was until it failed.
pub(super) struct Database {
    redb: redb::Database,
    /// Why it can't be used any more.
    broken: Option<String>,
    /// The value that is being written; kept for its allocation.
    value: Vec<u8>,
}

/// Why an access failed.
enum Failure {
    /// The database failed before anything was committed.
    Before(redb::Error),
    /// The database failed at the commit: it may have happened.
    Commit(redb::Error),
}

/// The failure as the answer to operations.
enum Broken {
    /// It has failed before.
    Already(String),
    Now {
        kind: StoreErrorKind,
        reason: String,
        source: Option<Arc<redb::Error>>,
    },
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Before(error.into())
    }
}

impl Database {
    /// Opens the file of a disk, created if there is none.
    pub(super) fn open(disk: &impl Disk, check: OpenCheck) -> Result<Self, Error> {
        Ok(Self {
            redb: opening::open(disk, check)?,
            broken: None,
            value: Vec::new(),
        })
    }

    /// Performs a batch: first its writes, in order and in one transaction, then its reads. It answers
    /// each operation once, with its place in the batch, and a write only after the commit.
    ///
    /// A read sees all writes of the batch, even those after it. [`Bounds`] ends a batch before a write
    /// that a read of the batch must not see.
    ///
    /// [`Bounds`]: crate::store::redb::batch::Bounds
    pub(super) fn apply(
        &mut self,
        operations: &[Operation],
        mut answer: impl FnMut(usize, Result<Answer, Error>),
    ) {
        let numbered = || operations.iter().enumerate();
        let writes: Vec<_> = numbered().filter(|(_, each)| each.writes()).collect();
        if !writes.is_empty() {
            let mut value = std::mem::take(&mut self.value);
            let written = self.access(|redb| write(redb, &writes, &mut value));
            // A row can be as long as a gibibyte; that is not kept.
            if value.capacity() <= batch::BYTES_MAX {
                self.value = value;
            }
            match written {
                Ok(answers) => {
                    assert_eq!(
                        answers.len(),
                        writes.len(),
                        "a batch that was committed has an answer for each of its writes"
                    );
                    let places = writes.into_iter().map(|(place, _)| place);
                    places
                        .zip(answers)
                        .for_each(|(place, done)| answer(place, done));
                }
                Err(broken) => {
                    for (place, operation) in writes {
                        answer(place, Err(broken.error(operation)));
                    }
                }
            }
        }
        for (place, operation) in numbered().filter(|(_, each)| !each.writes()) {
            let read = self.access(|redb| read(redb, operation));
            answer(
                place,
                read.unwrap_or_else(|broken| Err(broken.error(operation))),
            );
        }
    }

    /// Hands each row of a run to `visit`, and keeps none.
    pub(super) fn visit_run(
        &mut self,
        id: &str,
        visit: impl FnMut(CheckpointRow),
    ) -> Result<(), Error> {
        let visited = self.access(|redb| visit_run(redb, id, visit));
        let load = || Operation::Load { id: id.to_owned() };
        visited.unwrap_or_else(|broken| Err(broken.error(&load())))
    }

    /// Closes the file. Every commit is durable already, so an error does not matter.
    pub(super) fn close(self) {
        let closed = catch_unwind(AssertUnwindSafe(|| self.redb.close()));
        drop(closed);
    }

    /// Uses the database, for the last time if it fails.
    fn access<T>(
        &mut self,
        access: impl FnOnce(&redb::Database) -> Result<T, Failure>,
    ) -> Result<T, Broken> {
        if let Some(reason) = &self.broken {
            return Err(Broken::Already(reason.clone()));
        }
        let redb = &self.redb;
        let done = catch_unwind(AssertUnwindSafe(|| access(redb)));
        let (kind, reason, source) = match done {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(Failure::Before(error))) => (kind_of(&error), error.to_string(), Some(error)),
            Ok(Err(Failure::Commit(error))) => (
                StoreErrorKind::UnknownOutcome,
                error.to_string(),
                Some(error),
            ),
            // A damaged page: redb trusts the pages that it reads.
            Err(panic) => (StoreErrorKind::UnknownOutcome, words_of(&*panic), None),
        };
        self.broken = Some(reason.clone());
        Err(Broken::Now {
            kind,
            reason,
            source: source.map(Arc::new),
        })
    }
}

impl Broken {
    /// The answer to an operation.
    fn error(&self, operation: &Operation) -> Error {
        match self {
            Self::Already(reason) => {
                let message = format!("{operation}: the store has failed before ({reason})");
                Error::unavailable(message + "; open the store again")
            }
            Self::Now {
                kind,
                reason,
                source,
            } => {
                let message = format!("{operation}: {reason}; open the store again");
                let error = StoreError::new(*kind, message);
                match source {
                    Some(source) => error.with_shared_source(source.clone()).into(),
                    None => error.into(),
                }
            }
        }
    }
}

/// Performs the writes of a batch in one transaction. Each has an answer of its own: a duplicate is
/// refused, and the others are committed.
fn write(
    redb: &redb::Database,
    writes: &[(usize, &Operation)],
    value: &mut Vec<u8>,
) -> Result<Vec<Result<Answer, Error>>, Failure> {
    let transaction = begin(redb)?;
    // Right after a commit, redb frees the replaced pages in a pass that takes pages of its own, unless
    // a reader holds them. Then the next commit frees them, which writes its freed pages anyway.
    let _reader = redb.begin_read()?;
    let mut answers = Vec::with_capacity(writes.len());
    let mut changed = false;
    {
        let mut rows = transaction.open_table(ROWS)?;
        for (_, operation) in writes {
            let done = match operation {
                Operation::Append { id, row } => {
                    let done = append(&mut rows, id, row, value)?;
                    changed |= done.is_ok();
                    done
                }
                Operation::Clear { id } => {
                    changed |= clear(&mut rows, id)?;
                    Ok(())
                }
                Operation::Load { .. } | Operation::List { .. } => {
                    unreachable!("it writes nothing")
                }
            };
            answers.push(done.map(|()| Answer::Done));
        }
    }
    // With nothing to make durable, the transaction ends with its drop.
    if changed {
        let committed = transaction.commit();
        committed.map_err(|error| Failure::Commit(error.into()))?;
    }
    Ok(answers)
}

fn append(
    rows: &mut Rows<'_>,
    id: &str,
    row: &CheckpointRow,
    value: &mut Vec<u8>,
) -> Result<Result<(), Error>, Failure> {
    let sequence = row.sequence;
    let encoded = row_format::encode_into(value, id, row);
    if encoded.is_none() || value.len() + id.len() > VALUE_BYTES_MAX {
        let what = format!("append of row {sequence} to run {}", quoted(id));
        let bound = format!("with its id it is longer than {VALUE_BYTES_MAX} bytes");
        return Ok(Err(Error::unavailable(format!("{what}: {bound}"))));
    }
    // Once down the tree instead of twice: a duplicate is rare, and what it replaced is put back. The
    // transaction hides both.
    let key = (id, sequence);
    let before = rows.insert(key, value.as_slice())?;
    let Some(first) = before.map(|before| before.value().to_vec()) else {
        return Ok(Ok(()));
    };
    rows.insert(key, first.as_slice())?;
    Ok(Err(Error::conflict(id, sequence)))
}

/// Whether there was a row.
fn clear(rows: &mut Rows<'_>, id: &str) -> Result<bool, Failure> {
    let mut removed = false;
    rows.retain_in((id, 0)..=(id, u64::MAX), |_, _| {
        removed = true;
        false
    })?;
    Ok(removed)
}

fn read(redb: &redb::Database, operation: &Operation) -> Result<Result<Answer, Error>, Failure> {
    match operation {
        Operation::Load { id } => Ok(load_run(redb, id)?.map(Answer::Rows)),
        Operation::List { after, limit } => {
            let ids = run_ids(redb, after.as_deref(), *limit)?;
            Ok(Ok(Answer::Ids(ids)))
        }
        Operation::Append { .. } | Operation::Clear { .. } => unreachable!("it writes"),
    }
}

fn load_run(redb: &redb::Database, id: &str) -> Result<Result<Vec<CheckpointRow>, Error>, Failure> {
    let mut rows = Vec::new();
    let visited = visit_run(redb, id, |row| rows.push(row))?;
    Ok(visited.map(|()| rows))
}

fn visit_run(
    redb: &redb::Database,
    id: &str,
    mut visit: impl FnMut(CheckpointRow),
) -> Result<Result<(), Error>, Failure> {
    let table = redb.begin_read()?.open_table(ROWS)?;
    for entry in table.range((id, 0)..=(id, u64::MAX))? {
        let (key, value) = entry?;
        let (_, sequence) = key.value();
        match row_format::decode(id, sequence, value.value()) {
            Ok(row) => visit(row),
            Err(damage) => {
                let message = format!("row {sequence} of run {} is damaged: {damage}", quoted(id));
                let error = StoreError::new(StoreErrorKind::Damaged, message);
                return Ok(Err(error.with_source(damage).into()));
            }
        }
    }
    Ok(Ok(()))
}

fn run_ids(
    redb: &redb::Database,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, Failure> {
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
}
