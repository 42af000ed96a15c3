//! A store that is in the middle of a commit, and goes on when the test gives leave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use crashpoint::{CheckpointStore as _, Error, RedbCheckpointStore, TokioRuntime};
use futures_util::future::BoxFuture;
use futures_util::poll;
use tokio::sync::oneshot;

use super::disk::{Fate, MemoryDisk};
use super::row;

/// A store on tokio in the middle of its first commit.
pub(super) struct Stopped {
    pub(super) disk: MemoryDisk,
    pub(super) store: Arc<RedbCheckpointStore>,
    /// The append that is being committed, of row 0.
    pub(super) under_way: BoxFuture<'static, Result<(), Error>>,
    pub(super) leave: mpsc::Sender<()>,
    /// How many syncs there were, but for those of a file that grows; a commit has two.
    syncs: Arc<AtomicUsize>,
    /// The number of the sync that fails, from 1.
    fails: Arc<AtomicUsize>,
}

impl Stopped {
    /// The commit after this one fails.
    pub(super) fn fail_the_next(&self) {
        self.fails.store(3, Ordering::SeqCst);
    }

    pub(super) fn syncs(&self) -> usize {
        self.syncs.load(Ordering::SeqCst)
    }
}

/// The commit stops before its first sync and waits for leave to go on.
pub(super) async fn stopped() -> Stopped {
    let disk = MemoryDisk::default();
    let store = RedbCheckpointStore::on_disk(&disk, TokioRuntime::new()).expect("an empty place");
    let (tell, reached) = oneshot::channel();
    let (leave, wait) = mpsc::channel();
    let (syncs, fails) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (counted, failing) = (Arc::clone(&syncs), Arc::clone(&fails));
    let mut tell = Some(tell);
    let mut before = "";
    disk.decide_by(move |operation| {
        let grown = std::mem::replace(&mut before, operation) == "set_len";
        if operation != "sync" || grown {
            return Fate::Happens;
        }
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(tell) = tell.take() {
            tell.send(()).expect("the test listens");
            wait.recv().expect("the test gives leave");
        }
        match number == failing.load(Ordering::SeqCst) {
            true => Fate::Fails,
            false => Fate::Happens,
        }
    });
    let store = Arc::new(store);
    let handle = Arc::clone(&store);
    let append = async move { handle.append("order-1", row(0)).await };
    let mut under_way: BoxFuture<'static, _> = Box::pin(append);
    assert!(poll!(&mut under_way).is_pending());
    reached.await.expect("the commit begins");
    Stopped {
        disk,
        store,
        under_way,
        leave,
        syncs,
        fails,
    }
}
