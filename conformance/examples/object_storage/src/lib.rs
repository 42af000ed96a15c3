//! A checkpoint store in object storage, which shows what a backend without transactions must consider.
//!
//! # How the contract is kept
//!
//! - **A row is an object**, created only if it does not exist (`If-None-Match: *`, `PutMode::Create`). So a
//!   second row at a sequence is refused and the first stays.
//! - **Names** hold ids as hexadecimal digits, and sequences as 16 of them, so no id leaves its folder or is a
//!   prefix of another.
//! - **A clear creates one object**, the mark of the run's generation, and deletes the rows behind it
//!   afterwards. Rows are named by their generation, and the generation of a run is the number of its marks.
//!   So a load sees the whole run or nothing of it, and an append that arrives after a clear lands in a
//!   generation that nobody reads. An append looks at the marks before and after it creates its row; if a clear
//!   came in between, its outcome is unknown. A clear under a condition reads the first row of a generation and
//!   marks that generation, so a run that was begun again has another.
//! - **A load** lists the rows until two lists agree: pages of a list, or the entries of a folder, are read
//!   one after the other. It begins again if the run is cleared meanwhile.
//! - **Errors** say what is known: after an error of the storage the row may be there
//!   ([`Error::unknown_outcome`]), unless it exists already.
//!
//! # What is missing
//!
//! - An append is a put between two lists, and a load four lists and a get for each row.
//! - Marks stay: one empty object for each clear of a run.
//! - A put whose future is dropped may arrive later, so the store does not claim that nothing lands late.
//! - There is no listing of runs.
//!
//! `tests/conformance.rs` certifies it on memory and on files, and shows how the probe finds storage that
//! ignores the condition of a put.

mod names;

use std::fmt;
use std::sync::Arc;

use crashpoint::{
    CheckpointRow, CheckpointStore, Error, StoreError, StoreErrorKind, checkpoint_store,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use crate::names::{Run, generation_of};

pub use crate::names::ID_BYTES_MAX;

/// Rows that a load reads at a time.
const READS_AT_ONCE: usize = 16;

/// A [`CheckpointStore`] in the objects below a prefix. Share it as an `Arc`.
///
/// Several stores and several processes may use one prefix. The storage must list an object as soon as its put
/// has returned, as S3 does.
pub struct ObjectCheckpointStore {
    storage: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl ObjectCheckpointStore {
    /// A store in the objects of `storage` below `prefix`.
    pub fn new(storage: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        Self { storage, prefix }
    }

    /// The number of times that the run was cleared.
    async fn generation(&self, run: &Run) -> object_store::Result<usize> {
        Ok(self.listed(run.marks()).await?.len())
    }

    /// The generation, and the names of its rows in order: all of them were there at one instant.
    async fn rows(&self, run: &Run) -> object_store::Result<(usize, Vec<Path>)> {
        let mut before = (self.generation(run).await?, self.listed(run.rows()).await?);
        loop {
            let names = self.listed(run.rows()).await?;
            let now = (self.generation(run).await?, names);
            if now == before {
                let (generation, mut names) = now;
                names.retain(|name| generation_of(name) == Some(generation));
                return Ok((generation, names));
            }
            before = now;
        }
    }

    async fn listed(&self, folder: &Path) -> object_store::Result<Vec<Path>> {
        let listed = self.storage.list(Some(folder));
        let mut names: Vec<Path> = listed
            .map_ok(|object| object.location)
            .try_collect()
            .await?;
        names.sort_unstable();
        Ok(names)
    }

    /// The rows with these names. `None` if one of them was deleted meanwhile.
    async fn read(&self, names: Vec<Path>) -> object_store::Result<Option<Vec<(Path, Vec<u8>)>>> {
        let reads = names.into_iter().map(|name| async move {
            let bytes = self.storage.get(&name).await?.bytes().await?;
            Ok((name, Vec::from(bytes)))
        });
        let reads = stream::iter(reads).buffered(READS_AT_ONCE);
        let read: object_store::Result<Vec<_>> = reads.try_collect().await;
        match read {
            Ok(read) => Ok(Some(read)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an object, and returns whether there was none.
    async fn create(&self, name: &Path, content: Vec<u8>) -> object_store::Result<bool> {
        let payload = PutPayload::from(content);
        match self
            .storage
            .put_opts(name, payload, PutMode::Create.into())
            .await
        {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes the rows of a generation that was cleared, and what earlier clears have left. Nobody reads them.
    async fn delete(&self, run: &Run, generation: usize) -> object_store::Result<()> {
        let mut names = self.listed(run.rows()).await?;
        names.retain(|name| generation_of(name).is_some_and(|of_row| of_row <= generation));
        let names = stream::iter(names.into_iter().map(Ok)).boxed();
        let mut deletions = self.storage.delete_stream(names);
        while let Some(deleted) = deletions.next().await {
            match deleted {
                // Another clear deletes them, too.
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Clears a run, if it begins with the row `first` or no row is given. Returns whether it did.
    async fn clear_run(&self, id: &str, first: Option<&CheckpointRow>) -> Result<bool, Error> {
        let run = Run::of(&self.prefix, id)?;
        let clear = || format!("clear of run {id:?}");
        let listed = self.rows(&run).await;
        let (generation, names) = listed.map_err(|error| unavailable(&clear(), error))?;
        if let Some(first) = first {
            let name = names.first().cloned().into_iter().collect();
            let read = self.read(name).await;
            let read = read.map_err(|error| unavailable(&clear(), error))?;
            let row = read.iter().flatten().next();
            let row = row.map(|(name, bytes)| decoded(name, bytes, clear));
            if row.transpose()?.as_ref() != Some(first) {
                return Ok(false);
            }
        }
        if names.is_empty() {
            return Ok(true);
        }
        let marked = self.create(&run.mark(generation), Vec::new()).await;
        // If the mark is there, another clear has come first, and the run may have been begun again.
        let is_own = marked.map_err(|error| unknown(&clear(), error))?;
        let deleted = self.delete(&run, generation).await;
        deleted.map_err(|error| unknown(&clear(), error))?;
        Ok(is_own)
    }
}

#[checkpoint_store]
impl CheckpointStore for ObjectCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let run = Run::of(&self.prefix, workflow_id)?;
        let append = || format!("append of sequence {} to run {workflow_id:?}", row.sequence);
        let encoded = postcard::to_stdvec(&row);
        let encoded =
            encoded.map_err(|error| Error::unavailable(format!("{}: {error}", append())))?;
        let before = self.generation(&run).await;
        let before = before.map_err(|error| unavailable(&append(), error))?;
        let created = self.create(&run.row(before, row.sequence), encoded).await;
        if !created.map_err(|error| unknown(&append(), error))? {
            return Err(Error::conflict(workflow_id, row.sequence));
        }
        let after = self.generation(&run).await;
        if after.map_err(|error| unknown(&append(), error))? == before {
            return Ok(());
        }
        // The clear has removed the row, or the row came after the clear. Nobody knows which.
        let message = format!("{}: the run was cleared meanwhile", append());
        Err(Error::unknown_outcome(message))
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let run = Run::of(&self.prefix, workflow_id)?;
        let load = || format!("load of run {workflow_id:?}");
        loop {
            let listed = self.rows(&run).await;
            let (_, names) = listed.map_err(|error| unavailable(&load(), error))?;
            let read = self.read(names).await;
            // A row that is gone was cleared.
            if let Some(read) = read.map_err(|error| unavailable(&load(), error))? {
                let rows = read.iter().map(|(name, bytes)| decoded(name, bytes, load));
                return rows.collect();
            }
        }
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
}

fn decoded(name: &Path, bytes: &[u8], what: impl Fn() -> String) -> Result<CheckpointRow, Error> {
    postcard::from_bytes(bytes).map_err(|error| {
        let message = format!("{}: object {name}: {error}", what());
        StoreError::new(StoreErrorKind::Damaged, message).into()
    })
}

/// The error of an operation that has written nothing.
fn unavailable(what: &str, error: object_store::Error) -> Error {
    failed(StoreErrorKind::Unavailable, what, error)
}

/// The error of an operation that may have written.
fn unknown(what: &str, error: object_store::Error) -> Error {
    failed(StoreErrorKind::UnknownOutcome, what, error)
}

fn failed(kind: StoreErrorKind, what: &str, error: object_store::Error) -> Error {
    let message = format!("{what}: {error}");
    StoreError::new(kind, message).with_source(error).into()
}

impl fmt::Debug for ObjectCheckpointStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectCheckpointStore")
            .field("storage", &self.storage)
            .field("prefix", &self.prefix)
            .finish()
    }
}
