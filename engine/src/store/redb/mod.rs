//! The embedded store: rows in one file, through the database redb.
//!
//! Operations queue up in the order in which their futures were first polled. One committer, on a
//! thread that may block, takes everything that waits into one transaction and answers after its
//! commit. An operation whose future is dropped is given up if its batch has not begun, and finished
//! before the next batch if it has. So a load or a clear comes after every append that was begun
//! before it, and nothing lands later: the store can be held exclusively.

mod batch;
mod database;
mod disk;
mod failure;
mod opening;
mod operation;
mod overlay;
mod queue;
mod reader;
pub mod row_format;
mod tables;
mod waiting;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use self::database::Database;
use self::operation::{Answer, Operation};
use self::queue::Queue;
use crate::error::Error;
use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns};
use crate::runtime::{Runtime, TokioRuntime};
use crate::scope::ScopeId;

pub use self::disk::{Directory, Disk};
pub use self::opening::OpenCheck;
pub use self::reader::RedbReader;

/// A [`CheckpointStore`] in one file, on redb. Share it as an `Arc`.
///
/// # What is promised
///
/// - A row is durable once its append has returned `Ok`, whatever crashes: process, machine, power.
///   Every commit syncs twice (data, then the header that points to it), which costs one flush more
///   than redb's default and survives a failed sync that is followed by a power loss.
/// - The file is complete from the instant at which it has its name: it is written beside, synced
///   and then renamed. It is checked when it is opened, and every row has a checksum over its key
///   and its value that is verified on each load. A damaged file or row is an error, never a wrong
///   row.
/// - One handle, in one process, has the file open ([`exclusive_scope`](Self::exclusive_scope)), so
///   [`Retention::ClearWhenDone`](crate::Retention) may be used with it.
/// - After an error of the disk the store answers nothing but errors until it is opened again: what
///   the operating system shows after a failed sync need not be on the disk.
///
/// # What is not
///
/// A disk that reports a sync and does not perform it loses rows. A file that vanished, or an older
/// copy that was put back, is not noticed; one bit of the header, flipped in a file whose process has
/// crashed, looks like a copy that is older by one row.
///
/// # Dropped futures
///
/// An operation takes its turn with the first poll of its future. Dropping the future gives up what
/// has not begun; what has is finished before anything else. An append is whole or absent then, and
/// which of the two is settled before any later operation.
///
/// # Many at once
///
/// Everything that waits while a commit is under way goes into the next one, in order, up to 4 MiB of
/// rows or 1024 operations; nothing waits for others to come. A refusal, of a duplicate or of a row
/// that is too long, is the answer of that operation alone. A commit that fails is the answer of all
/// that were in it: the outcome is unknown.
///
/// The queue is bounded too: up to 8 MiB of rows, or one that is longer. Whatever does not fit stays
/// with its future, in line; so a disk that is slow holds its writers up, and memory does not grow. A
/// future that is dropped frees its place and its row, and one that is held and not polled holds
/// nobody up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use crashpoint::{CheckpointRow, CheckpointStore, RedbCheckpointStore};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("runs.redb");
/// let store = RedbCheckpointStore::new(&path)?;
/// store.append("run-1", CheckpointRow::new(0, "Start", "fetch")).await?;
/// drop(store);
///
/// let store = RedbCheckpointStore::new(&path)?;
/// assert_eq!(store.load_run("run-1").await?[0].state, "Start");
/// # Ok(())
/// # }
/// ```
pub struct RedbCheckpointStore {
    queue: Arc<Queue>,
    runtime: Arc<dyn Runtime>,
    scope: ScopeId,
}

impl RedbCheckpointStore {
    /// Opens the store in the file `path`, or creates it there; its folder has to exist. The
    /// operations must then be polled within a tokio runtime, as those of an
    /// [`Engine`](crate::Engine) are.
    ///
    /// This blocks: it reads the whole file to check it. Do it once, when the process starts.
    ///
    /// # Errors
    ///
    /// Each names the path: the file can't be read or written, it is open already (here or in another
    /// process), it is damaged, it was written by a newer version, or it is something else than a
    /// checkpoint store. A file of length 0 is refused as well: a store that a file system has lost
    /// must not pass for a new one.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::with_runtime(path, TokioRuntime::new())
    }

    /// The same, with blocking work done by `runtime` ([`Runtime::blocking`]).
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_runtime(path: impl AsRef<Path>, runtime: impl Runtime) -> Result<Self, Error> {
        Self::on_disk(&Directory::new(path.as_ref()), runtime)
    }

    /// On any disk: the seam for simulated ones.
    #[doc(hidden)]
    pub fn on_disk(disk: &impl Disk, runtime: impl Runtime) -> Result<Self, Error> {
        Self::on_disk_with_check(disk, OpenCheck::Whole, runtime)
    }

    /// The same, with a choice of what is read of the file before it is used.
    #[doc(hidden)]
    pub fn on_disk_with_check(
        disk: &impl Disk,
        check: OpenCheck,
        runtime: impl Runtime,
    ) -> Result<Self, Error> {
        Ok(Self {
            queue: Arc::new(Queue::new(Database::open(disk, check)?)),
            runtime: Arc::new(runtime),
            scope: ScopeId::new(),
        })
    }

    /// How many bytes are queued: for tests of their bound.
    #[doc(hidden)]
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    async fn execute(&self, operation: Operation) -> Result<Answer, Error> {
        self.queue.submit(&*self.runtime, operation).await
    }
}

#[async_trait]
impl CheckpointStore for RedbCheckpointStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        let answer = self.execute(Operation::Append { id, row }).await?;
        let Answer::Done = answer else {
            unreachable!("an append is answered {answer:?}")
        };
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let id = workflow_id.to_owned();
        let answer = self.execute(Operation::Load { id }).await?;
        let Answer::Rows(rows) = answer else {
            unreachable!("a load is answered {answer:?}")
        };
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let id = workflow_id.to_owned();
        let answer = self.execute(Operation::Clear { id }).await?;
        let Answer::Done = answer else {
            unreachable!("a clear is answered {answer:?}")
        };
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.scope.clone())
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[async_trait]
impl ListRuns for RedbCheckpointStore {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let after = after.map(ToOwned::to_owned);
        let answer = self.execute(Operation::List { after, limit }).await?;
        let Answer::Ids(ids) = answer else {
            unreachable!("a listing is answered {answer:?}")
        };
        Ok(ids)
    }
}

impl Drop for RedbCheckpointStore {
    /// Waits for the batch that is under way, if its futures were dropped, and closes the file, so
    /// that it can be opened again at once.
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for RedbCheckpointStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbCheckpointStore")
            .finish_non_exhaustive()
    }
}
