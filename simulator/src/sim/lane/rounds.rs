//! How a runtime of tokio's is seen to go round without ever falling idle.
//!
//! tokio has no hook between two polls. But with an event interval of 1, what a `block_on` waits for is
//! polled before each task that is ready, as long as it wakes itself. It does that until a task of ours,
//! the sentinel, which goes to the end of the queue, is the only one that was polled in a round: then
//! nothing else is ready, and it may wait for the runtime to fall idle.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, Runtime};

use crate::executor::lock;

/// A task that does nothing but tell when it is polled.
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

    /// Goes to the end of the queue; false where it stands in the queue already.
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

/// The rounds of what is ready, until nothing is.
pub(super) struct Rounds<'a> {
    sentinel: &'a Sentinel,
    /// How often what was spawned has been polled in them.
    polls: u32,
    /// How often it may be.
    polls_max: u32,
    /// The one that is under way; none where nothing is ready.
    round: Option<Round>,
}

struct Round {
    /// Whether the sentinel stands behind everything that was ready when it began.
    whole: bool,
    /// How many tasks were polled in it, the sentinel among them.
    polls: u32,
}

impl Round {
    fn of(sentinel: &Sentinel) -> Self {
        Self {
            whole: sentinel.queue(),
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

    /// Something may be ready.
    pub(super) fn begin(&mut self) {
        self.polls = 0;
        self.round = Some(Round::of(self.sentinel));
    }

    /// Within the runtime, each time before a task is polled. Ready where there were too many.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(round) = &mut self.round else {
            return Poll::Pending;
        };
        if self.sentinel.was_polled() {
            let others = round.polls.saturating_sub(1);
            let elsewhere = Handle::current().metrics().global_queue_depth();
            if round.whole && others == 0 && elsewhere == 0 {
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
