//! Faults of stores that depend on the thread or runtime that polls.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crashpoint::{CheckpointRow, CheckpointStore, Error, ScopeId, checkpoint_store};
use crashpoint_conformance::Place;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use super::concurrency::Trips;
use super::{Mutant, Shelf};

/// A store without a fault, except for what happens before an append.
macro_rules! before_append {
    ($($(#[$doc:meta])* $name:ident = $before:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name {
            shelf: Shelf,
            appends: AtomicUsize,
        }

        #[checkpoint_store]
        impl CheckpointStore for $name {
            async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
                let before = $before;
                let done: Result<(), Error> =
                    before(self.appends.fetch_add(1, Ordering::SeqCst)).await;
                done?;
                self.shelf.runs().append(workflow_id, row)
            }

            async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
                Ok(self.shelf.runs().load(workflow_id))
            }

            async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
                self.shelf.runs().clear(workflow_id);
                Ok(())
            }

            fn exclusive_scope(&self) -> Option<ScopeId> {
                Some(self.shelf.scope())
            }
        }

        impl Mutant for $name {
            fn open(shelf: Shelf, _place: &Place) -> Self {
                Self { shelf, ..Self::default() }
            }
        }
    )*};
}

before_append! {
    /// Blocks in place, which needs other workers.
    BlocksInPlace = async |_| {
        tokio::task::block_in_place(|| ());
        Ok(())
    };
    /// Has a slot for each of four workers.
    FourSlots = async |_| match Handle::try_current().map(|handle| handle.metrics().num_workers()) {
        Ok(workers) if workers > 4 => Err(Error::checkpoint_store("no slot for this worker")),
        _ => Ok(()),
    };
    /// Blocks the thread that polls it; on a runtime with that one thread, to save the other laws'
    /// time, and only at first.
    SleepsInPoll = async |appends| {
        let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
        if appends < 20 && flavor.is_ok_and(|flavor| flavor == RuntimeFlavor::CurrentThread) {
            std::thread::park_timeout(Duration::from_millis(8));
        }
        Ok(())
    };
    /// Must be polled by one thread.
    ThreadBound = async |_| {
        let first = std::thread::current().id();
        tokio::task::yield_now().await;
        if std::thread::current().id() == first {
            return Ok(());
        }
        Err(Error::checkpoint_store("polled by another thread"))
    };
    /// Assumes tokio.
    NeedsTokio = async |_| {
        Handle::current();
        Ok(())
    };
}

/// Keeps the handle of the runtime that opened it, and spawns its writes there.
#[derive(Default)]
pub(crate) struct HandleCapture(Option<Handle>);

impl Trips for HandleCapture {
    fn opened(&mut self, _shelf: &Shelf) {
        self.0 = Handle::try_current().ok();
    }

    async fn append(&self, shelf: &Shelf, id: &str, row: CheckpointRow) -> Result<(), Error> {
        let (shelf, id) = (shelf.clone(), id.to_owned());
        let Some(handle) = &self.0 else {
            return shelf.runs().append(&id, row);
        };
        let append = handle.spawn(async move { shelf.runs().append(&id, row) });
        append
            .await
            .map_err(|error| Error::unavailable(error.to_string()))?
    }
}

/// Owns a runtime, which can't be dropped where futures run.
pub(crate) struct OwnsRuntime {
    shelf: Shelf,
    runtime: Mutex<Option<Runtime>>,
}

#[checkpoint_store]
impl CheckpointStore for OwnsRuntime {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.shelf.runs().append(workflow_id, row)
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.shelf.runs().load(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.shelf.runs().clear(workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        Some(self.shelf.scope())
    }
}

impl Mutant for OwnsRuntime {
    fn open(shelf: Shelf, _place: &Place) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        Self {
            shelf,
            runtime: Mutex::new(Some(runtime)),
        }
    }
}

impl Drop for OwnsRuntime {
    fn drop(&mut self) {
        drop(self.runtime.lock().unwrap().take());
    }
}
