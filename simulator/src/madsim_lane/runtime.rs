//! madsim's time and random source as the engine's [`Runtime`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use crashpoint::Runtime;
use madsim::rand::RngCore as _;
use madsim::time::TimeHandle;

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The runtime of a madsim node. Its methods must be called within a simulation.
#[derive(Debug, Clone, Default)]
pub struct MadsimRuntime {
    /// The error of the node's wall clock, in milliseconds.
    skew_ms: Arc<AtomicI64>,
}

impl MadsimRuntime {
    /// A runtime whose wall clock is wrong by `skew_ms` milliseconds, which may change.
    pub fn with_skew(skew_ms: Arc<AtomicI64>) -> Self {
        Self { skew_ms }
    }
}

impl Runtime for MadsimRuntime {
    fn unix_ms(&self) -> u64 {
        let since_epoch = TimeHandle::current().now_time().duration_since(UNIX_EPOCH);
        let true_ms = since_epoch.map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        });
        true_ms.saturating_add_signed(self.skew_ms.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        Box::pin(async move { madsim::time::sleep(duration).await })
    }

    /// Nothing blocks in a simulation: the work is done within one poll.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture {
        Box::pin(async move { work() })
    }

    fn entropy(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        madsim::rand::thread_rng().fill_bytes(&mut bytes);
        bytes
    }
}
