//! A store of many files: each run is written anew as a draft, synced, and renamed. A sync that fails costs
//! the draft and nothing else, so the store may go on; what fails at the folder stops it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::{BoxError, Harness, Options, Place};

use super::disk::{BadLine, hex, line_of, read, sealed};
use super::{Runs, quick};

/// The store; with `SHOWS` a row stays in memory although its draft was thrown away.
pub(crate) struct Drafts<const SHOWS: bool> {
    folder: PathBuf,
    inner: Mutex<Inner>,
    scope: ScopeId,
}

struct Inner {
    runs: Runs,
    /// The lines of each run, in no order.
    lines: BTreeMap<String, String>,
    /// Whether a name is in doubt.
    failed: bool,
}

const DRAFT: &str = "draft";

impl<const SHOWS: bool> Drafts<SHOWS> {
    fn open(folder: &Path) -> io::Result<Self> {
        match fs::remove_file(folder.join(DRAFT)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (mut runs, mut lines) = (Runs::default(), BTreeMap::new());
        for entry in fs::read_dir(folder)? {
            let written = fs::read_to_string(entry?.path())?;
            for (id, run) in read(&written, BadLine::Error)?.0 {
                runs.0.insert(id.clone(), run);
                lines.insert(id, written.clone());
            }
        }
        File::open(folder)?.sync_all()?;
        Ok(Self {
            folder: folder.to_owned(),
            inner: Mutex::new(Inner {
                runs,
                lines,
                failed: false,
            }),
            scope: ScopeId::new(),
        })
    }

    fn inner(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.failed {
            return Err(Error::unavailable("a name is in doubt; open it again"));
        }
        Ok(inner)
    }

    fn file_of(&self, id: &str) -> PathBuf {
        // Long enough for the ids of the laws about crashes.
        self.folder.join(hex(id.as_bytes()))
    }

    fn draft(&self, lines: &str) -> io::Result<()> {
        let path = self.folder.join(DRAFT);
        let write = || {
            let mut file = File::create_new(&path)?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()
        };
        write().inspect_err(|_| _ = fs::remove_file(&path))
    }

    fn sync_names(&self, inner: &mut Inner, changed: io::Result<()>) -> Result<(), Error> {
        let synced = changed.and_then(|()| File::open(&self.folder)?.sync_all());
        inner.failed = synced.is_err();
        synced.map_err(|error| Error::unknown_outcome(error.to_string()))
    }
}

#[checkpoint_store]
impl<const SHOWS: bool> CheckpointStore for Drafts<SHOWS> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut inner = self.inner()?;
        if inner.runs.has(workflow_id, row.sequence) {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        let before = inner.lines.get(workflow_id).cloned().unwrap_or_default();
        let lines = before + &sealed(&line_of(workflow_id, &row));
        if SHOWS {
            inner.runs.put(workflow_id, row.clone());
        }
        let drafted = self.draft(&lines);
        drafted.map_err(|error| Error::unavailable(error.to_string()))?;
        let renamed = fs::rename(self.folder.join(DRAFT), self.file_of(workflow_id));
        self.sync_names(&mut inner, renamed)?;
        inner.lines.insert(workflow_id.to_owned(), lines);
        inner.runs.put(workflow_id, row);
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.inner()?.runs.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut inner = self.inner()?;
        if !inner.runs.0.contains_key(workflow_id) {
            return Ok(());
        }
        let removed = fs::remove_file(self.file_of(workflow_id));
        self.sync_names(&mut inner, removed)?;
        inner.lines.remove(workflow_id);
        inner.runs.clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }
}

/// The harness of the store.
pub(crate) struct InDrafts<const SHOWS: bool>;

impl<const SHOWS: bool> Harness for InDrafts<SHOWS> {
    type Store = Drafts<SHOWS>;

    async fn open(place: &Place) -> Result<Drafts<SHOWS>, BoxError> {
        Ok(Drafts::open(place.path())?)
    }

    fn options() -> Options {
        quick()
    }
}
