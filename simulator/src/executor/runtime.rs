//! The engine's `Runtime` on virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::Runtime;
use futures_channel::oneshot;
use futures_util::future::BoxFuture;

use crate::executor::{Executor, ProcessId};

/// The wall clock at the start of every simulation: 2026-01-01T00:00:00Z, in milliseconds.
const EPOCH_UNIX_MS: u64 = 1_767_225_600_000;

/// The runtime of a simulated process: virtual time, and entropy from a counter.
#[derive(Clone)]
pub struct SimRuntime {
    executor: Executor,
    process: ProcessId,
    nonces: Arc<AtomicU64>,
    /// The error of the wall clock, in milliseconds.
    clock_skew_ms: Arc<AtomicI64>,
    blocking: BlockingWork,
}

/// How blocking work runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockingWork {
    /// At once, as a part of the calling task.
    Inline,
    /// As a task of its own: tasks that are polled earlier come first.
    Task,
}

impl SimRuntime {
    pub(crate) fn new(
        executor: Executor,
        process: ProcessId,
        nonces: Arc<AtomicU64>,
        clock_skew_ms: Arc<AtomicI64>,
    ) -> Self {
        Self {
            executor,
            process,
            nonces,
            clock_skew_ms,
            blocking: BlockingWork::Inline,
        }
    }

    /// The same, with blocking work as tasks of their own. Calls of a store before such a task's
    /// turn are concurrent with it.
    pub(crate) fn with_blocking_tasks(self) -> Self {
        Self {
            blocking: BlockingWork::Task,
            ..self
        }
    }
}

impl SimRuntime {
    /// The virtual time since the simulation began.
    pub fn now(&self) -> Duration {
        self.executor.now()
    }
}

impl Runtime for SimRuntime {
    fn unix_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.executor.now().as_millis()).unwrap_or(u64::MAX);
        let skew_ms = self.clock_skew_ms.load(Ordering::Relaxed);
        EPOCH_UNIX_MS
            .saturating_add(elapsed)
            .saturating_add_signed(skew_ms)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.executor.sleep(duration))
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        match self.blocking {
            BlockingWork::Inline => Box::pin(async move { work() }),
            BlockingWork::Task => {
                let (executor, process) = (self.executor.clone(), self.process);
                Box::pin(async move {
                    let (done, joined) = oneshot::channel();
                    let task = async move {
                        work();
                        // The caller may be gone; the work is done anyway.
                        _ = done.send(());
                    };
                    executor.spawn(process, Box::pin(task));
                    _ = joined.await;
                })
            }
        }
    }

    fn entropy(&self) -> [u8; 16] {
        let count = self.nonces.fetch_add(1, Ordering::Relaxed) + 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&count.to_be_bytes());
        bytes
    }
}

impl std::fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimRuntime")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}
