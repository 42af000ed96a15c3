//! Cancellation as a business event.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::Shared;

/// Cancels runs: a cancelled run rolls back. Clones share the request.
///
/// Cancelling differs from dropping. A dropped future is a crash, and the run can be resumed. A
/// cancelled run undoes what it has done and ends as rolled back. An append in flight is resolved
/// first; a run that has entered an exit or a rollback by then ignores the cancellation. The request
/// lives in this process: a resume needs a token of its own.
///
/// ```
/// use crashpoint::{CancelToken, Engine, MemoryCheckpointStore};
///
/// let token = CancelToken::new();
/// let engine = Engine::new(MemoryCheckpointStore::new()).with_cancel(token.clone());
/// // Later, from any task or thread:
/// token.cancel();
/// assert!(token.is_cancelled());
/// # drop(engine);
/// ```
#[derive(Clone)]
pub struct CancelToken {
    request: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    requested: Shared<oneshot::Receiver<()>>,
}

impl CancelToken {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        let (request, requested) = oneshot::channel();
        Self {
            request: Arc::new(Mutex::new(Some(request))),
            requested: requested.shared(),
        }
    }

    /// Requests the cancellation of every run with this token. A second call does nothing.
    pub fn cancel(&self) {
        let request = self
            .request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Dropping the sender completes the receiver. The lock is free by then: a woken task may call
        // `is_cancelled` at once.
        drop(request);
        debug_assert!(self.is_cancelled(), "a cancellation is never taken back");
    }

    /// Whether the cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// Completes once the cancellation is requested.
    pub fn cancelled(&self) -> impl Future<Output = ()> + Send + use<> {
        self.requested.clone().map(|_| ())
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelToken")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}
