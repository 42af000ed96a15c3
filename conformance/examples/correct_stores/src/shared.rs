//! Ways to share rows: behind a lock, behind many locks, by a task, by a thread.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::Rows;
use crate::map::Map;

/// A map behind a lock for readers and writers.
#[derive(Debug, Default)]
pub struct Locked(RwLock<Map>);

#[checkpoint_store]
impl CheckpointStore for Locked {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        rows.append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let rows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ok(rows.rows(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        rows.clear(workflow_id)
    }
}

/// Sixteen maps, each behind a lock. A run is in one of them.
#[derive(Debug, Default)]
pub struct Sharded([Mutex<Map>; 16]);

impl Sharded {
    fn shard<T>(&self, id: &str, work: impl FnOnce(&mut Map) -> T) -> T {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let shard = &self.0[(hasher.finish() % 16) as usize];
        work(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[checkpoint_store]
impl CheckpointStore for Sharded {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.shard(workflow_id, |rows| rows.append(workflow_id, row))
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.shard(workflow_id, |rows| rows.load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.shard(workflow_id, |rows| rows.clear(workflow_id))
    }
}

type Operation<R> = Box<dyn FnOnce(&mut R) + Send>;

fn lost<T>(_: T) -> Error {
    Error::unknown_outcome("whoever performs the operations has ended")
}

/// An operation, and its answer when it was performed.
fn operation<R, T: Send + 'static>(
    work: impl FnOnce(&mut R) -> T + Send + 'static,
) -> (Operation<R>, oneshot::Receiver<T>) {
    let (reply, answer) = oneshot::channel();
    // Whoever dropped the future does not want the answer.
    let operation = Box::new(move |rows: &mut R| _ = reply.send(work(rows)));
    (operation, answer)
}

/// Implements a store whose `perform` hands an operation to whoever performs all, in their order.
macro_rules! performs {
    ($store:ident, $scope:expr) => {
        #[checkpoint_store]
        impl<R: Rows> CheckpointStore for $store<R> {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                let id = workflow_id.to_owned();
                self.perform(move |rows| rows.append(&id, row)).await
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                let id = workflow_id.to_owned();
                self.perform(move |rows| rows.load(&id)).await
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                let id = workflow_id.to_owned();
                self.perform(move |rows| rows.clear(&id)).await
            }

            fn exclusive_scope(&self) -> Option<ScopeId> {
                let scope: fn(&Self) -> Option<ScopeId> = $scope;
                scope(self)
            }
        }
    };
}

/// A task of the runtime in which it was created performs the operations.
pub struct Actor<R>(UnboundedSender<Operation<R>>);

impl<R: Rows> Actor<R> {
    /// Starts the task.
    pub fn start(mut rows: R) -> Self {
        let (sender, mut operations) = unbounded_channel::<Operation<R>>();
        tokio::spawn(async move {
            while let Some(operation) = operations.recv().await {
                operation(&mut rows);
            }
        });
        Self(sender)
    }

    async fn perform<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut R) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (operation, answer) = operation(work);
        self.0.send(operation).map_err(lost)?;
        answer.await.map_err(lost)?
    }
}

performs!(Actor, |_| None);

impl<R> std::fmt::Debug for Actor<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor").finish_non_exhaustive()
    }
}

impl<R> std::fmt::Debug for Threaded<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threaded").finish_non_exhaustive()
    }
}

/// A thread performs the operations. Dropping this waits for those that have begun.
pub struct Threaded<R> {
    operations: Option<Mutex<Sender<Operation<R>>>>,
    thread: Option<JoinHandle<()>>,
    scope: Option<ScopeId>,
}

impl<R: Rows> Threaded<R> {
    /// Starts the thread. Rows that lock their place have an exclusive scope.
    ///
    /// # Errors
    ///
    /// If the system has no thread left.
    pub fn start(mut rows: R, scope: Option<ScopeId>) -> Result<Self, Error> {
        let (sender, operations) = channel::<Operation<R>>();
        let work = move || operations.iter().for_each(|operation| operation(&mut rows));
        let thread = Builder::new().name("correct store".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Error::unavailable(format!("no thread: {error}")))?;
        Ok(Self {
            operations: Some(Mutex::new(sender)),
            thread: Some(thread),
            scope,
        })
    }

    async fn perform<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut R) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (operation, answer) = operation(work);
        if let Some(operations) = &self.operations {
            let operations = operations.lock().unwrap_or_else(PoisonError::into_inner);
            operations.send(operation).map_err(lost)?;
        }
        answer.await.map_err(lost)?
    }
}

performs!(Threaded, |store| store.scope.clone());

impl<R> Drop for Threaded<R> {
    fn drop(&mut self) {
        drop(self.operations.take());
        if let Some(thread) = self.thread.take() {
            // A caller that waited has seen its panic.
            let _ = thread.join();
        }
    }
}
