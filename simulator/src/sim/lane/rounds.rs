//! Detects a tokio runtime that loops without becoming idle.
//!
//! tokio has no hook between two polls. But with an event interval of 1, the future of a `block_on`
//! is polled before each ready task, as long as it wakes itself. It does so until our sentinel, a
//! task that goes to the end of the queue, is the only task polled in a round. Then nothing else is
//! ready, and it may wait for the runtime to become idle.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, Runtime};

use crate::executor::lock;

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

/// The rounds of the ready tasks, until nothing is ready.
pub(super) struct Rounds<'a> {
    sentinel: &'a Sentinel,
    /// The number of polls of spawned tasks.
    polls: u32,
    /// The maximal number of polls.
    polls_max: u32,
    /// The current round; `None` if nothing is ready.
    round: Option<Round>,
}

struct Round {
    /// Whether the sentinel is behind everything that was ready at the beginning.
    complete: bool,
    /// The number of polled tasks in the round, the sentinel included.
    polls: u32,
}

impl Round {
    fn of(sentinel: &Sentinel) -> Self {
        Self {
            complete: sentinel.queue(),
            polls: 0,
        }
    }
}

impl<'a> Rounds<'a> {
    pub(super) fn new(sentinel: &'a Sentinel, polls_max: u32) -> Self {
        Self {
            sentinel,
            polls: 0,
            polls_max,
            round: None,
        }
    }

    /// Starts again, because something may be ready.
    pub(super) fn begin(&mut self) {
        self.polls = 0;
        self.round = Some(Round::of(self.sentinel));
    }

    /// Called within the runtime before each task is polled. Ready if there were too many polls.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(round) = &mut self.round else {
            return Poll::Pending;
        };
        if self.sentinel.was_polled() {
            let others = round.polls.saturating_sub(1);
            let elsewhere = Handle::current().metrics().global_queue_depth();
            if round.complete && others == 0 && elsewhere == 0 {
                self.round = None;
                return Poll::Pending;
            }
            self.polls += others;
            if self.polls > self.polls_max {
                return Poll::Ready(());
            }
            *round = Round::of(self.sentinel);
        }
        round.polls += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
