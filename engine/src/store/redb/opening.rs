//! Opening and creating the file of a store.

use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{Builder, ReadableDatabase, StorageBackend};

use crate::error::{Error, StoreError, StoreErrorKind};
use crate::store::redb::disk::Disk;
use crate::store::redb::failure::{kind_of, words_of};
use crate::store::redb::row_format::FORMAT;
use crate::store::redb::tables::{ABOUT, ABOUT_FORMAT, ROWS, begin};

/// Pages kept in memory, in bytes. Appends touch the edges of a tree, so a small part of a large
/// file suffices.
const CACHE_BYTES: usize = 64 << 20;

/// The checks at the opening of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenCheck {
    /// Every page, with its checksum: what has rotted is noticed when the file is opened.
    #[default]
    Whole,
    /// Nothing but the header, and after a crash what a repair needs. Opening no longer takes a time
    /// that grows with the file, and a page that has rotted is noticed when it is read, or never: a
    /// row in it can be missing. A row that is shown is right all the same, since it has a checksum
    /// of its own. Of 2242 flipped bits 11 took rows away in silence, and none made a wrong one.
    Skipped,
}

/// The file of a disk as a database, created if there is none.
pub(super) fn open(disk: &impl Disk, check: OpenCheck) -> Result<redb::Database, Error> {
    let opened = catch_unwind(AssertUnwindSafe(|| open_or_create(disk, check)));
    let opened = opened.unwrap_or_else(|panic| Err(NotOpened::Panicked(words_of(&*panic))));
    opened.map_err(|failure| failure.of(&disk.name()))
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

fn open_or_create<D: Disk>(disk: &D, check: OpenCheck) -> Result<redb::Database, NotOpened> {
    if let Some(file) = disk.open()? {
        let redb = open_file(file, check)?;
        disk.remove_drafts();
        return Ok(redb);
    }
    let lost = match create(disk) {
        Ok(()) => ErrorKind::NotFound.into(),
        // Another process was faster: its store is there, and it may have removed our draft.
        Err(NotOpened::Disk(error))
            if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) =>
        {
            error
        }
        Err(failure) => return Err(failure),
    };
    open_file(disk.open()?.ok_or(lost)?, check)
}

/// Creates the file: first without its name, so that nobody sees a part of it.
fn create(disk: &impl Disk) -> Result<(), NotOpened> {
    let draft = disk.draft()?;
    create_in(disk.open_draft(&draft)?).map_err(NotOpened::Redb)?;
    Ok(disk.publish(draft)?)
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

fn open_file(file: impl StorageBackend, check: OpenCheck) -> Result<redb::Database, NotOpened> {
    // redb would make a new database of it.
    if file.len()? == 0 {
        return Err(NotOpened::Empty);
    }
    let redb = builder()
        .set_check_integrity_on_open(check == OpenCheck::Whole)
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
                "the store is open already, here or in another process; a process that reads the file \
                 (a doctor, a copy) keeps it locked, too",
            ),
            Self::Redb(error) => store(kind_of(&error), &error.to_string()).with_source(error),
            Self::Empty => store(
                damaged,
                "the file is empty, which a store never is; remove it to begin a new store",
            ),
            Self::Foreign => store(
                damaged,
                "the file is a redb database but not a checkpoint store",
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
