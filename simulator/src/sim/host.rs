//! What a crash kills: the lives of one process of the operating system, and the store that they
//! have open.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use crashpoint::CheckpointStore;

use crate::executor::lock;
use crate::sim::Activity;

/// A process of the operating system. A store that any number of processes may share has one for
/// each life; one that a process holds exclusively has the lives that race in it.
#[derive(Default)]
pub(crate) struct Host {
    dead: AtomicBool,
    /// Whether a call of the disk has failed in it.
    failing_disk: AtomicBool,
    /// Lives that have not ended.
    lives: AtomicU32,
    store: Mutex<Option<Arc<dyn CheckpointStore>>>,
    /// Which life's operation the store performs, and which it is.
    operation: Mutex<(u32, Activity)>,
    /// How often it has synced the file.
    syncs: AtomicU32,
}

impl Host {
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Whether its disk has failed it: what its store does since then is all right.
    pub(crate) fn has_failing_disk(&self) -> bool {
        self.failing_disk.load(Ordering::Relaxed)
    }

    pub(crate) fn set_failing_disk(&self) {
        self.failing_disk.store(true, Ordering::Relaxed);
    }

    pub(crate) fn lives(&self) -> u32 {
        self.lives.load(Ordering::Relaxed)
    }

    /// One more life begins in this process.
    pub(crate) fn enter(&self) {
        assert!(!self.is_dead(), "no life begins in a process that has died");
        self.lives.fetch_add(1, Ordering::Relaxed);
    }

    /// A life has ended by itself.
    pub(crate) fn leave(&self) {
        let before = self.lives.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0, "a life leaves the process that it has entered");
    }

    /// Ends everything at once. Returns how many lives that were.
    pub(crate) fn kill(&self) -> u32 {
        self.dead.store(true, Ordering::Relaxed);
        self.lives.swap(0, Ordering::Relaxed)
    }

    /// The store that the process has open.
    pub(crate) fn store(&self) -> Option<Arc<dyn CheckpointStore>> {
        lock(&self.store).clone()
    }

    pub(crate) fn set_store(&self, store: Arc<dyn CheckpointStore>) {
        *lock(&self.store) = Some(store);
    }

    /// Drops the store: closes it where the process is alive, and does nothing any more where it is
    /// dead.
    pub(crate) fn release_store(&self) {
        let store = lock(&self.store).take();
        drop(store);
    }

    pub(crate) fn set_operation(&self, life: u32, what: Activity) {
        *lock(&self.operation) = (life, what);
        self.syncs.store(0, Ordering::Relaxed);
    }

    /// One more sync of the operation; whether it is the first.
    pub(crate) fn syncs_first(&self) -> bool {
        self.syncs.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub(crate) fn operation(&self) -> (u32, Activity) {
        lock(&self.operation).clone()
    }
}
