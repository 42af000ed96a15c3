//! A store of the user's own under a workload: what of it survives a crash, and how a process opens it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId};
use futures_util::FutureExt as _;

/// A store of the user's own.
#[derive(Clone)]
pub struct OwnStore(Arc<dyn Fn() -> Open + Send + Sync>);

/// Opens the store of one simulation in a process.
type Open = Box<dyn Fn() -> Arc<dyn CheckpointStore> + Send + Sync>;

/// A store of the user's own in one simulation.
pub(crate) struct OwnStorage {
    open: Open,
    is_exclusive: bool,
}

impl OwnStore {
    /// A store over what `surviving` creates for each simulation; each process opens it by `open`.
    pub fn new<D: Send + Sync + 'static, S: CheckpointStore>(
        surviving: impl Fn() -> D + Send + Sync + 'static,
        open: impl Fn(&Arc<D>) -> S + Send + Sync + 'static,
    ) -> Self {
        let open = Arc::new(open);
        Self(Arc::new(move || {
            let (kept, open) = (Arc::new(surviving()), Arc::clone(&open));
            Box::new(move || Arc::new(AtOnce(open(&kept))))
        }))
    }

    /// The store of a new simulation.
    pub(super) fn begin(&self) -> OwnStorage {
        let open = (self.0)();
        // The first lives of several runs begin before any of them has opened the store.
        let is_exclusive = open().exclusive_scope().is_some();
        OwnStorage { open, is_exclusive }
    }
}

impl OwnStorage {
    /// Opens the store in a process.
    pub(super) fn open(&self) -> Arc<dyn CheckpointStore> {
        (self.open)()
    }

    /// Whether a process holds the store exclusively.
    pub(super) fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

impl fmt::Debug for OwnStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnStore").finish_non_exhaustive()
    }
}

/// A store that must answer at once: nothing in a simulation wakes a store that waits.
struct AtOnce<S>(S);

fn at_once<T>(operation: &str, answer: impl Future<Output = T>) -> T {
    answer.now_or_never().unwrap_or_else(|| {
        panic!("{operation} of the store under this test waits for something; such a store must answer at once")
    })
}

#[async_trait]
impl<S: CheckpointStore> CheckpointStore for AtOnce<S> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        at_once("append", self.0.append(workflow_id, row))
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        at_once("load_run", self.0.load_run(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        at_once("clear", self.0.clear(workflow_id))
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.0.exclusive_scope()
    }
}
