//! A store of a file for each row, in a directory for each run, and faults in what it syncs.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Options, Place};

use super::disk::{BadLine, hex, line_of, read, sealed};
use super::{Runs, quick};

/// What is synced. The defaults have no fault: a run comes into being under a draft name, with all that is
/// in it, and one file holds what opening can do without.
pub(crate) trait Care: Send + Sync + 'static {
    /// Whether the directory of all runs is synced, and the place when that directory is new.
    const SYNCS_ANCESTORS: bool = true;
    /// Whether the file of a row is synced before it has its name; the hint is synced otherwise.
    const SYNCS_ROWS: bool = true;
    /// Whether opening removes the draft of a run.
    const REMOVES_DRAFT: bool = true;
}

/// No fault: the control.
pub(crate) struct All;

impl Care for All {}

/// Only the directory of a run is synced.
pub(crate) struct ForgetsAncestors;

impl Care for ForgetsAncestors {
    const SYNCS_ANCESTORS: bool = false;
}

/// The hint is synced, and the row is not.
pub(crate) struct SyncsAnotherFile;

impl Care for SyncsAnotherFile {
    const SYNCS_ROWS: bool = false;
}

/// A draft that a crash has left is used again, with the row that is in it.
pub(crate) struct UsesDraftAgain;

impl Care for UsesDraftAgain {
    const REMOVES_DRAFT: bool = false;
}

/// The store.
pub(crate) struct Trees<C> {
    inner: Mutex<Inner>,
    scope: ScopeId,
    care: PhantomData<fn() -> C>,
}

struct Inner {
    place: PathBuf,
    runs: Runs,
    failed: bool,
}

impl<C: Care> Trees<C> {
    fn open(place: &Path) -> io::Result<Self> {
        if C::REMOVES_DRAFT {
            remove(&place.join("draft"))?;
        }
        remove(&place.join("trash"))?;
        let mut runs = Runs::default();
        let all = fs::read_dir(place.join("runs"));
        for run in all.into_iter().flatten() {
            for row in fs::read_dir(run?.path())? {
                let written = fs::read_to_string(row?.path())?;
                // A line without an end was not acknowledged.
                let whole = written.rfind('\n').map_or(0, |end| end + 1);
                for (id, run) in read(&written[..whole], BadLine::Error)?.0 {
                    for row in run.rows.into_values() {
                        runs.put(&id, row);
                    }
                }
            }
        }
        sync(place)?;
        Ok(Self {
            inner: Mutex::new(Inner {
                place: place.to_owned(),
                runs,
                failed: false,
            }),
            scope: ScopeId::new(),
            care: PhantomData,
        })
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.failed {
            return Err(Error::unavailable("a write has failed; open it again"));
        }
        Ok(inner)
    }
}

impl Inner {
    fn run(&self, id: &str) -> PathBuf {
        self.place.join("runs").join(hex(id.as_bytes()))
    }

    fn write<C: Care>(&self, id: &str, row: &CheckpointRow) -> io::Result<()> {
        let runs = self.place.join("runs");
        if !runs.exists() {
            fs::create_dir(&runs)?;
            if C::SYNCS_ANCESTORS {
                sync(&self.place)?;
            }
        }
        // How many rows there are, for nobody.
        let mut hint = File::create(self.place.join("hint"))?;
        hint.write_all(row.sequence.to_string().as_bytes())?;
        if !C::SYNCS_ROWS {
            hint.sync_all()?;
        }
        let run = self.run(id);
        let (draft, name) = (self.place.join("draft"), row.sequence.to_string());
        let is_new = !run.exists();
        let folder = if is_new { &draft } else { &run };
        if is_new {
            fs::create_dir_all(&draft)?;
        }
        let path = folder.join(name);
        if C::REMOVES_DRAFT || !path.exists() {
            // A killed process may have left it empty.
            let mut file = File::create(path)?;
            file.write_all(sealed(&line_of(id, row)).as_bytes())?;
            if C::SYNCS_ROWS {
                file.sync_all()?;
            }
        }
        sync(folder)?;
        if is_new {
            fs::rename(&draft, &run)?;
            if C::SYNCS_ANCESTORS {
                sync(&runs)?;
            }
        }
        Ok(())
    }

    fn remove(&self, id: &str) -> io::Result<()> {
        let (run, trash) = (self.run(id), self.place.join("trash"));
        if !run.exists() {
            return Ok(());
        }
        fs::rename(run, &trash)?;
        sync(&self.place.join("runs"))?;
        remove(&trash)
    }

    fn note(&mut self, done: io::Result<()>) -> Result<(), Error> {
        self.failed = done.is_err();
        done.map_err(|error| Error::unknown_outcome(error.to_string()))
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[checkpoint_store]
impl<C: Care> CheckpointStore for Trees<C> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut inner = self.inner()?;
        if inner.runs.has(workflow_id, row.sequence) {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        let written = inner.write::<C>(workflow_id, &row);
        inner.note(written)?;
        inner.runs.append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.inner()?.runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut inner = self.inner()?;
        let removed = inner.remove(workflow_id);
        inner.note(removed)?;
        inner.runs.clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}

/// The harness of the store.
pub(crate) struct InTrees<C>(PhantomData<fn() -> C>);

impl<C: Care> Harness for InTrees<C> {
    type Store = Trees<C>;

    async fn open(place: &Place) -> Result<Trees<C>, BoxError> {
        Ok(Trees::open(place.path())?)
    }

    fn options() -> Options {
        quick()
    }
}
