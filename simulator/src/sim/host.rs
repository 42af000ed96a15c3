//! What a crash kills: the lives of one operating-system process, and their open store.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crashpoint::CheckpointStore;

use crate::executor::lock;
use crate::sim::Activity;

/// An operating-system process. With a shared store each life has its own. An exclusive store has
/// one process for all lives that race in it.
#[derive(Default)]
pub(crate) struct Host {
    dead: AtomicBool,
    /// Whether a disk call of this process has failed.
    failing_disk: AtomicBool,
    /// The number of lives that have not ended.
    lives: AtomicU32,
    store: Mutex<Option<Arc<dyn CheckpointStore>>>,
    /// The life and the kind of the store's current operation.
    operation: Mutex<(u32, Activity)>,
    /// The number of syncs of the file in this operation.
    syncs: AtomicU32,
}

impl Host {
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Whether its disk has failed. From then on every answer of its store is accepted.
    pub(crate) fn has_failing_disk(&self) -> bool {
        self.failing_disk.load(Ordering::Relaxed)
    }

    pub(crate) fn set_failing_disk(&self) {
        self.failing_disk.store(true, Ordering::Relaxed);
    }

    pub(crate) fn lives(&self) -> u32 {
        self.lives.load(Ordering::Relaxed)
    }

    /// A life begins in this process.
    pub(crate) fn enter(&self) {
        assert!(!self.is_dead(), "no life begins in a process that has died");
        self.lives.fetch_add(1, Ordering::Relaxed);
    }

    /// A life has ended by itself.
    pub(crate) fn leave(&self) {
        let before = self.lives.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "a life leaves the process that it has entered");
    }

    /// Ends all lives at once, and returns their number.
    pub(crate) fn kill(&self) -> u32 {
        self.dead.store(true, Ordering::Relaxed);
        self.lives.swap(0, Ordering::Relaxed)
    }

    /// The open store of the process.
    pub(crate) fn store(&self) -> Option<Arc<dyn CheckpointStore>> {
        lock(&self.store).clone()
    }

    pub(crate) fn set_store(&self, store: Arc<dyn CheckpointStore>) {
        *lock(&self.store) = Some(store);
    }

    /// Drops the store. This closes it if the process is alive, and has no effect if it is dead.
    pub(crate) fn release_store(&self) {
        let store = lock(&self.store).take();
        drop(store);
    }

    pub(crate) fn set_operation(&self, life: u32, what: Activity) {
        *lock(&self.operation) = (life, what);
        self.syncs.store(0, Ordering::Relaxed);
    }

    /// Counts a sync of the operation. Returns whether it is the first.
    pub(crate) fn syncs_first(&self) -> bool {
        self.syncs.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub(crate) fn operation(&self) -> (u32, Activity) {
        lock(&self.operation).clone()
    }
}
