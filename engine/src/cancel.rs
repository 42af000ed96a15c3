//! Cancellation as a business event.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::Shared;

/// Asks runs to turn around. Clones share the request.
///
/// Cancelling is not dropping: a dropped future is a crash, after which the run can be resumed; a
/// cancelled run goes back what it has done and ends as rolled back. An append in flight is
/// resolved first, and a run that has entered an exit or a rollback by then is not turned any more.
/// The request lives in this process: a resume needs a token of its own.
#[derive(Clone)]
pub struct CancelToken {
    request: Arc<Mutex<Option<oneshot::Sender<()>>>>,
    requested: Shared<oneshot::Receiver<()>>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> Self {
        let (request, requested) = oneshot::channel();
        Self {
            request: Arc::new(Mutex::new(Some(request))),
            requested: requested.shared(),
        }
    }

    /// Requests the cancellation of every run that has this token. Calling it again does nothing.
    pub fn cancel(&self) {
        let request = self
            .request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Dropping the sender completes the receiver; what it completes with does not matter. The
        // lock is free by then: whoever is woken may ask at once whether it is cancelled.
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
