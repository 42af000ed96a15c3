//! A store that answers loads while an append is at work, and what they show by then.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Options, Place};

use super::disk::{BadLine, hex, line_of, read, sealed};
use super::{Runs, quick};

/// The store: a journal that opening reads, and a count of rows for nobody. With `EARLY` a row can be loaded
/// before the journal is synced. Without, it can be loaded while the count is still being synced.
pub(crate) struct Showing<const EARLY: bool> {
    inner: Mutex<Inner>,
    scope: ScopeId,
}

struct Inner {
    journal: File,
    count: File,
    runs: Runs,
    failed: bool,
}

impl<const EARLY: bool> Showing<EARLY> {
    fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("journal");
        let written = fs::read_to_string(&path).unwrap_or_default();
        // A line without an end was not acknowledged.
        let whole = written.rfind('\n').map_or(0, |end| end + 1);
        let runs = read(&written[..whole], BadLine::Error)?;
        let journal = File::options().create(true).append(true).open(&path)?;
        journal.set_len(whole as u64)?;
        let count = File::create(folder.join("count"))?;
        File::open(folder)?.sync_all()?;
        Ok(Self {
            inner: Mutex::new(Inner {
                journal,
                count,
                runs,
                failed: false,
            }),
            scope: ScopeId::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let inner = self.lock();
        if inner.failed {
            return Err(Error::unavailable("a write has failed; open it again"));
        }
        Ok(inner)
    }

    fn note(&self, done: io::Result<()>) -> Result<(), Error> {
        done.map_err(|error| {
            self.lock().failed = true;
            Error::unknown_outcome(error.to_string())
        })
    }

    fn write(&self, id: &str, row: &CheckpointRow) -> io::Result<()> {
        let mut inner = self.lock();
        let line = sealed(&line_of(id, row));
        inner.journal.write_all(line.as_bytes())?;
        let (journal, mut count) = (inner.journal.try_clone()?, inner.count.try_clone()?);
        if !EARLY {
            journal.sync_data()?;
        }
        inner.runs.put(id, row.clone());
        // Others may come in.
        drop(inner);
        if EARLY {
            journal.sync_data()?;
        }
        count.write_all(b"1")?;
        count.sync_data()
    }
}

#[checkpoint_store]
impl<const EARLY: bool> CheckpointStore for Showing<EARLY> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        if self.inner()?.runs.has(workflow_id, row.sequence) {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        // The laws of durability have one writer.
        self.note(self.write(workflow_id, &row))
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.inner()?.runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let cleared = {
            let mut inner = self.inner()?;
            let line = sealed(&format!("C {}", hex(workflow_id.as_bytes())));
            let written = inner.journal.write_all(line.as_bytes());
            let synced = written.and_then(|()| inner.journal.sync_data());
            if synced.is_ok() {
                inner.runs.clear(workflow_id);
            }
            synced
        };
        self.note(cleared)
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}

/// The harness of the store.
pub(crate) struct InShowing<const EARLY: bool>;

impl<const EARLY: bool> Harness for InShowing<EARLY> {
    type Store = Showing<EARLY>;

    async fn open(place: &Place) -> Result<Showing<EARLY>, BoxError> {
        Ok(Showing::open(place.path())?)
    }

    fn options() -> Options {
        quick()
    }
}
