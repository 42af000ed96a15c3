//! Drops futures before they end: after each number of polls, and before or after the next wake-up.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;

/// The point at which a future is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) polls: u32,
    /// Whether it is dropped only after it was woken for another poll.
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

/// Tries of each cut, since chance decides how far work on another thread has got.
const TRIES: u32 = 3;
/// A future that needs more polls is dropped only within its first polls.
const POLLS_MAX: u32 = 40;

/// All cuts in ascending order, until a future ends before its cut. Report that with
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

/// Polls `future` as often as `cut` says, after each wake-up, and drops it. Returns its output if it ends
/// before.
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
    // Polled within the task, so that the future finds the task's runtime.
    poll_fn(|_| Poll::Ready(future.as_mut().poll(&mut Context::from_waker(waker)))).await
}

struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
