//! A store that stops at a chosen operation, like the store of a process that crashes there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use tokio::sync::Semaphore;

use crate::case::{Progress, Session};
use crate::finding::expect::describe;
use crate::harness::DynStore;

/// On which side of an operation a life stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The operation never reaches the store.
    Before,
    /// The store has answered, but the answer is lost.
    After,
}

/// A point in a life: before or after an operation of its store, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) operation: u64,
    pub(crate) side: Side,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side} operation {} of the store", self.operation)
    }
}

/// Both sides of each of the first `operations` operations.
pub(crate) fn points(operations: u64) -> impl Iterator<Item = Point> {
    let sides = [Side::Before, Side::After].into_iter();
    (0..operations)
        .flat_map(move |operation| sides.clone().map(move |side| Point { operation, side }))
}

/// The store of one life. From its point on it does not answer. Dropping the life's future then is a
/// crash, and [`release`](Self::release) resumes a process that was only paused.
pub(crate) struct Halting {
    store: DynStore,
    progress: Arc<Progress>,
    point: Option<Point>,
    operations: AtomicU64,
    halted: AtomicBool,
    released: Semaphore,
    /// The description of the operation at the point.
    at: Mutex<String>,
}

impl Halting {
    /// The store of a life that stops at `point`, or never.
    pub(crate) fn new(session: &Session, point: Option<Point>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(session.store()),
            progress: Arc::clone(session.progress()),
            point,
            operations: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            released: Semaphore::new(0),
            at: Mutex::default(),
        })
    }

    /// How many operations were begun.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    /// Where the life stopped, to complete "a life ..." in a message.
    pub(crate) fn whereabouts(&self) -> String {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match self.point {
            Some(Point { side, .. }) if !at.is_empty() => match side {
                Side::Before => format!("before the {at}"),
                Side::After => format!("after the {at}, its answer lost"),
            },
            _ => "nowhere".to_owned(),
        }
    }

    /// Lets the store answer again.
    pub(crate) fn release(&self) {
        self.released.close();
    }

    async fn operation<T>(&self, what: &str, perform: impl Future<Output = T>) -> T {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        let stops = |side| {
            self.point
                == Some(Point {
                    operation: number,
                    side,
                })
        };
        if stops(Side::Before) {
            self.halt(what).await;
        }
        let answer = perform.await;
        if stops(Side::After) {
            self.halt(what).await;
        }
        answer
    }

    async fn halt(&self, what: &str) {
        what.clone_into(&mut self.at.lock().unwrap_or_else(PoisonError::into_inner));
        self.halted.store(true, Ordering::SeqCst);
        // Closed by the release, and never given a permit.
        let _closed = self.released.acquire().await;
    }
}

#[checkpoint_store]
impl CheckpointStore for Halting {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let sequence = Some(row.sequence);
        self.progress.operation("append", workflow_id, sequence);
        let what = format!("append of {}", describe(&row));
        self.operation(&what, async { self.store.append(workflow_id, row).await })
            .await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.progress.operation("load", workflow_id, None);
        self.operation("load", async { self.store.load_run(workflow_id).await })
            .await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.progress.operation("clear", workflow_id, None);
        self.operation("clear", async { self.store.clear(workflow_id).await })
            .await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.store.exclusive_scope()
    }
}

/// Polls a life until it ends, or returns `None` when its store stops.
pub(crate) async fn until_halted<F: Future>(
    store: &Halting,
    mut life: Pin<&mut F>,
) -> Option<F::Output> {
    std::future::poll_fn(|context| match life.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        // Stores are polled within the life's own future, so this poll is the one that stopped.
        Poll::Pending if store.halted.load(Ordering::SeqCst) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
