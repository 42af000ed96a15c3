//! Futures that are dropped on the way: after every number of polls, and before or after they were
//! woken for the next.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;

/// How far a future gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) polls: u32,
    /// Whether it is dropped only once it has been woken for one poll more.
    pub(crate) woken: bool,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.polls {
            0 => write!(f, "before its first poll")?,
            1 => write!(f, "after 1 poll")?,
            more => write!(f, "after {more} polls")?,
        }
        if self.woken {
            write!(f, ", woken for the next")?;
        }
        Ok(())
    }
}

/// Tries of each cut: where the work is done elsewhere, how far it got is left to chance.
const TRIES: u32 = 3;
/// A future that takes more polls is dropped in its first part only.
const POLLS_MAX: u32 = 40;

/// Every cut, from one poll on, until a future has ended before it was to be dropped. Tell it with
/// [`ended`](Self::ended).
#[derive(Debug)]
pub(crate) struct Cuts {
    next: Cut,
    tried: u32,
    ended: u32,
}

impl Cuts {
    pub(crate) fn new() -> Self {
        let next = Cut {
            polls: 1,
            woken: false,
        };
        Self {
            next,
            tried: 0,
            ended: 0,
        }
    }

    pub(crate) fn ended(&mut self) {
        self.ended += 1;
        assert!(
            self.ended <= self.tried,
            "only a cut that was given out can end"
        );
    }
}

impl Iterator for Cuts {
    type Item = Cut;

    fn next(&mut self) -> Option<Cut> {
        if self.tried == TRIES {
            if self.ended == TRIES || self.next.polls == POLLS_MAX {
                return None;
            }
            if self.next.woken {
                self.next.polls += 1;
            }
            self.next.woken = !self.next.woken;
            (self.tried, self.ended) = (0, 0);
        }
        self.tried += 1;
        // Both are reset with each cut, and the last cut ends the iteration.
        assert!(
            self.tried <= TRIES && self.ended < self.tried,
            "a try ends at most once"
        );
        assert!(
            (1..=POLLS_MAX).contains(&self.next.polls),
            "a cut has 1 to {POLLS_MAX} polls"
        );
        Some(self.next)
    }
}

/// Polls `future` as often as `cut` says, each time once it has been woken, and drops it; or answers
/// what it ended with before.
pub(crate) async fn cut_off<F: Future>(future: F, cut: Cut) -> Option<F::Output> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken(Notify::new()));
    let waker = Waker::from(Arc::clone(&woken));
    for poll in 1..=cut.polls {
        if let Poll::Ready(output) = poll_once(future.as_mut(), &waker).await {
            return Some(output);
        }
        if poll < cut.polls || cut.woken {
            woken.0.notified().await;
        }
    }
    None
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    // The poll is one of the task's own, so that what belongs to its runtime is at hand.
    poll_fn(|_| Poll::Ready(future.as_mut().poll(&mut Context::from_waker(waker)))).await
}

struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
