//! The seam between the engine and its surroundings: time, blocking work and entropy.
//!
//! Everything that the engine takes from outside of its store comes through [`Runtime`]. Each lane
//! of the simulator brings its own runtime; production uses [`TokioRuntime`]. No other file of the
//! crate names tokio.

use std::time::Duration;

use futures_util::future::BoxFuture;

/// The engine's access to its environment: a wall clock, sleep, a place for blocking work,
/// entropy.
///
/// A simulation implements it with virtual time and drawn entropy; nothing in the engine reads a
/// clock or a random source by any other way.
pub trait Runtime: Send + Sync + 'static {
    /// The wall clock, in milliseconds since 1970-01-01 UTC. It may jump.
    fn unix_ms(&self) -> u64;

    /// Completes once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Runs `work`, which may block, off the executor; completes once it has returned.
    ///
    /// Work that has begun is finished even if the returned future is dropped.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;

    /// Whether other tasks run while work is in [`blocking`](Self::blocking); false by default.
    ///
    /// If they do, work may poll for more work, for some microseconds, before it returns. If they do
    /// not, no more work could arrive.
    fn blocks_beside(&self) -> bool {
        false
    }

    /// Sixteen bytes that no other call in any process returns.
    fn entropy(&self) -> [u8; 16];
}

/// The production runtime. Its methods must be called within a tokio runtime whose timer is enabled.
/// Poll the engine's futures in such a runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioRuntime;

impl TokioRuntime {
    /// The runtime; it holds nothing.
    pub fn new() -> Self {
        Self
    }
}

impl Runtime for TokioRuntime {
    #[expect(
        clippy::disallowed_methods,
        reason = "production reads the wall clock, only here"
    )]
    fn unix_ms(&self) -> u64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_epoch.map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        Box::pin(async move { propagate_panic(tokio::task::spawn_blocking(work).await) })
    }

    fn blocks_beside(&self) -> bool {
        true
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "production draws entropy, only here"
    )]
    fn entropy(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system provides entropy");
        bytes
    }
}

/// Resumes a panic of the task in its caller. An abort is an ordinary end.
fn propagate_panic(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}
