//! Permits of lives, where the number of active lives is limited.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

/// A number of permits. They are given out in the order in which they are asked for.
#[derive(Clone)]
pub(crate) struct Permits(Arc<Mutex<Shared>>);

struct Shared {
    free: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// A permit. Its drop gives it back.
pub(crate) struct Permit {
    /// None once it is given back.
    permits: Option<Permits>,
}

impl Permits {
    /// So many permits, at least one.
    pub(crate) fn new(permits: usize) -> Self {
        let shared = Shared {
            free: permits.max(1),
            waiting: VecDeque::new(),
        };
        Self(Arc::new(Mutex::new(shared)))
    }

    /// Waits for a permit. Who drops this future loses its turn, and no permit is lost.
    pub(crate) async fn acquire(&self) -> Permit {
        let turn = {
            let mut shared = self.shared();
            if shared.free > 0 {
                shared.free -= 1;
                return self.permit();
            }
            let (sender, turn) = oneshot::channel();
            shared.waiting.push_back(sender);
            turn
        };
        turn.await.expect("whoever waits is given a permit")
    }

    fn permit(&self) -> Permit {
        Permit {
            permits: Some(self.clone()),
        }
    }

    /// Gives a permit to the first that still waits.
    fn give(&self, mut permit: Permit) {
        while let Some(next) = self.next_waiting() {
            match next.send(permit) {
                Ok(()) => return,
                Err(back) => permit = back,
            }
        }
        // Nobody waits, so it was counted as free.
        permit.permits = None;
    }

    /// The first in the line; with an empty line a permit becomes free. The lock is not held while a permit
    /// is sent, because that wakes code that is not ours.
    fn next_waiting(&self) -> Option<oneshot::Sender<Permit>> {
        let mut shared = self.shared();
        let next = shared.waiting.pop_front();
        shared.free += usize::from(next.is_none());
        next
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Gives the permit back until `meanwhile` is over, and then waits for another.
    pub(super) async fn lent(self, meanwhile: impl Future<Output = ()>) -> Self {
        let permits = self.permits.clone();
        let permits = permits.expect("a permit in use is not given back");
        drop(self);
        meanwhile.await;
        permits.acquire().await
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permits) = self.permits.take() {
            let permit = permits.permit();
            permits.give(permit);
        }
    }
}
