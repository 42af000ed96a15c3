//! The embedded store: rows in one file, through the database redb.
//!
//! Operations queue up in the order of the first polls of their futures. A committer, on a thread that
//! may block, takes the waiting operations into one transaction and answers after the commit. If a
//! future is dropped, its operation is withdrawn before its batch begins, and finished afterwards. So
//! a load or a clear comes after every append that began before it, and no append lands later: the
//! store can be held exclusively.

mod batch;
mod database;
mod disk;
mod failure;
mod opening;
mod operation;
mod options;
mod overlay;
mod owner;
mod queue;
mod reader;
pub mod row_format;
mod tables;
mod waiting;

use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;

use self::database::Database;
use self::operation::{Answer, Operation};
use self::owner::Owner;
use self::queue::Queue;
use crate::error::Error;
use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns};
use crate::runtime::{Runtime, TokioRuntime};
use crate::scope::ScopeId;

pub use self::disk::{Directory, Disk};
pub use self::opening::OpenCheck;
pub use self::options::RedbOptions;
pub use self::reader::RedbReader;

/// A [`CheckpointStore`] in one file, on redb. Share it as an `Arc`.
///
/// # Guarantees
///
/// - A row is durable once its append has returned `Ok`, whatever crashes: process, machine, power.
///   Every commit syncs twice (data, then the header that points to it), which costs one flush more
///   than redb's default and survives a failed sync that is followed by a power loss.
/// - The file is complete as soon as it has its name: it is written under another name, synced and
///   then renamed. It is checked at each opening. Every row has a checksum over its key and its
///   value, which each load verifies. A damaged file or row is an error, never a wrong row.
/// - One handle, in one process, has the file open ([`exclusive_scope`](Self::exclusive_scope)), so
///   [`Retention::ClearWhenDone`](crate::Retention) may be used with it.
/// - After an error of the disk every operation fails until the store is opened again. Data that the
///   operating system shows after a failed sync need not be on the disk.
///
/// # Forks
///
/// A store belongs to the process that opened it. In a child that a fork made, every operation fails
/// with [`OtherProcess`](crate::StoreErrorKind::OtherProcess), and dropping the store touches neither
/// the file nor its lock. Open stores after the fork. While a child has its copy, the file stays locked,
/// also once the parent is gone.
///
/// # Not guaranteed
///
/// A disk that reports a sync and does not perform it loses rows. The store does not notice a file
/// that vanished, or an older copy in its place. After a crash, a flipped bit in the header can look
/// like a copy that is older by one row.
///
/// # Dropped futures
///
/// An operation takes its turn with the first poll of its future. If the future is dropped, an
/// operation that has not begun is withdrawn; one that has begun is finished before any other. The
/// row of a dropped append is whole or absent, and no later operation changes that.
///
/// # Many at once
///
/// Operations that wait during a commit go into the next commit, in order, up to 4 MiB of rows or 1024
/// operations. No operation waits for others to arrive. A duplicate and a row that is too long fail
/// alone. If a commit fails, all its operations fail, with an unknown outcome.
///
/// The queue holds at most 8 MiB of rows, or a single longer row. Further operations stay with their
/// futures, in line. So a slow disk slows its writers down, and memory does not grow. A dropped future
/// frees its place and its row. A future that is held without polls blocks no other.
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
    owner: Owner,
}

impl RedbCheckpointStore {
    /// Opens the store in the file `path`, or creates it, readable by its owner alone
    /// ([`RedbOptions`] has other permissions). The folder must exist. Poll the operations
    /// within a tokio runtime, like those of an [`Engine`](crate::Engine).
    ///
    /// This call blocks: it reads and checks the whole file. Call it once, when the process starts.
    ///
    /// # Errors
    ///
    /// Each error names the path. The file can't be read or written, is already open (here or in
    /// another process), is damaged, was written by a newer version, or is not a checkpoint store. A
    /// file of length 0 is refused too: a store that a file system has lost must not look like a new
    /// store.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::with_runtime(path, TokioRuntime::new())
    }

    /// Opens the store, with [`Runtime::blocking`] of `runtime` for its blocking work.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_runtime(path: impl AsRef<Path>, runtime: impl Runtime) -> Result<Self, Error> {
        Self::on_disk(&Directory::new(path.as_ref()), runtime)
    }

    /// Opens the store on any disk: the seam for simulated disks.
    #[doc(hidden)]
    pub fn on_disk(disk: &impl Disk, runtime: impl Runtime) -> Result<Self, Error> {
        Self::on_disk_with_check(disk, OpenCheck::Whole, runtime)
    }

    /// As [`on_disk`](Self::on_disk), with a choice of checks.
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
            owner: Owner::current(),
        })
    }

    /// The number of queued bytes, for tests of the bound.
    #[doc(hidden)]
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    async fn execute(&self, operation: Operation) -> Result<Answer, Error> {
        let mut answered = pin!(self.queue.submit(&*self.runtime, operation));
        // Before each poll, since a fork may come between two of them; and before any lock, since the
        // thread that held it is not there in the child.
        poll_fn(|context| match self.owner.check() {
            Ok(()) => answered.as_mut().poll(context),
            Err(refused) => Poll::Ready(Err(refused)),
        })
        .await
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
    /// Waits for a batch in progress and closes the file, so that it can be opened again at once. In a
    /// fork, it leaves the file and its lock to the process that opened it.
    fn drop(&mut self) {
        if self.owner.is_current() {
            self.queue.close();
        } else {
            self.queue.abandon();
        }
    }
}

impl std::fmt::Debug for RedbCheckpointStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbCheckpointStore")
            .finish_non_exhaustive()
    }
}
