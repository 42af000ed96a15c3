//! Polls the ready tasks of a tokio runtime until none is ready.
//!
//! tokio has no hook between two polls. But with an event interval of 1, the future of a `block_on`
//! is polled before each ready task, as long as it wakes itself. It does so until our sentinel, a
//! task that goes to the end of the queue, is the only task polled in two successive rounds: the
//! timers that are due fire after the first of them. Then nothing else is ready.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, Runtime};

use crate::executor::lock;

/// The number of successive rounds without another task after which nothing is ready.
const QUIET_ROUNDS: u32 = 2;

/// A task that only reports its polls.
#[derive(Clone, Default)]
pub(super) struct Sentinel(Arc<Mutex<Polled>>);

#[derive(Default)]
struct Polled {
    polled: bool,
    waker: Option<Waker>,
}

impl Sentinel {
    pub(super) fn on(runtime: &Runtime) -> Self {
        let sentinel = Self::default();
        let Self(state) = sentinel.clone();
        runtime.spawn(poll_fn(move |cx| {
            let mut state = lock(&state);
            state.polled = true;
            state.waker = Some(cx.waker().clone());
            Poll::<()>::Pending
        }));
        sentinel
    }

    /// Goes to the end of the queue. Returns false if it is in the queue already.
    fn queue(&self) -> bool {
        let mut state = lock(&self.0);
        if let Some(waker) = &state.waker {
            waker.wake_by_ref();
        }
        std::mem::take(&mut state.polled)
    }

    fn was_polled(&self) -> bool {
        lock(&self.0).polled
    }
}

/// The state of the runtime's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    /// A task may be ready.
    Busy,
    /// No task is ready.
    Empty,
    /// Tasks were polled too often.
    Endless,
}

/// The rounds of the ready tasks, until nothing is ready.
pub(super) struct Rounds<'a> {
    sentinel: &'a Sentinel,
    /// The number of polls of spawned tasks that are still allowed.
    polls_left: u32,
    /// The successive rounds without another task.
    quiet: u32,
    /// Whether the sentinel is behind everything that was ready at the beginning of the round.
    complete: bool,
    /// The number of polled tasks in the round, the sentinel included.
    polls: u32,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(sentinel: &'a Sentinel, polls_max: u32) -> Self {
        Self {
            sentinel,
            polls_left: polls_max,
            quiet: 0,
            complete: sentinel.queue(),
            polls: 0,
        }
    }

    /// Called within the runtime before each task is polled.
    pub(super) fn next(&mut self, cx: &Context<'_>) -> Queue {
        if self.sentinel.was_polled() {
            let others = self.polls.saturating_sub(1);
            let elsewhere = Handle::current().metrics().global_queue_depth();
            let quiet = self.complete && others == 0 && elsewhere == 0;
            self.quiet = if quiet { self.quiet + 1 } else { 0 };
            if self.quiet == QUIET_ROUNDS {
                return Queue::Empty;
            }
            let Some(left) = self.polls_left.checked_sub(others) else {
                return Queue::Endless;
            };
            self.polls_left = left;
            self.complete = self.sentinel.queue();
            self.polls = 0;
        }
        self.polls += 1;
        cx.waker().wake_by_ref();
        Queue::Busy
    }
}
