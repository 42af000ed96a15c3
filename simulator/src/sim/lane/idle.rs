//! What happens when a tokio runtime becomes idle: it would wait for a timer of its own next.
//!
//! The idle periods are counted, because a spawned task may wake up for ever. The hooks that report
//! them run within the runtime, on its thread.

use std::sync::Mutex;
use std::task::{Context, Waker};

use tokio::runtime::Handle;

use crate::executor::lock;
use crate::sim::lane::{Reach, Stop};

#[derive(Default)]
pub(super) struct Idle(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of idle periods that are still allowed.
    left: u32,
    /// Stop when only this many tasks are left: our own.
    alone: Option<usize>,
    stop: Option<Stop>,
    /// Whether an idle period has ended since the last check. `None` if nobody checks.
    has_ended: Option<bool>,
    waits: Option<Waker>,
}

impl Idle {
    /// Starts counting, with `own` tasks of our own on the runtime. `notifies` says whether the end
    /// of an idle period wakes the waiter. A woken task must then finish a round, because no time
    /// passes for a woken runtime.
    pub(super) fn begin(&self, reach: Reach, own: usize, notifies: bool) {
        *lock(&self.0) = State {
            left: reach.wakes,
            alone: reach.with_spawned.then_some(own),
            has_ended: notifies.then_some(true),
            ..State::default()
        };
    }

    /// Forgets everything. Otherwise the waker would keep the runtime alive, which holds this in
    /// its hooks.
    pub(super) fn end(&self) {
        *lock(&self.0) = State::default();
    }

    /// An idle period begins.
    pub(super) fn begins(&self) {
        let alive = Handle::try_current().map(|it| it.metrics().num_alive_tasks());
        let mut state = lock(&self.0);
        let alone = state
            .alone
            .is_some_and(|own| alive.is_ok_and(|alive| alive == own));
        state.stop = match state.left {
            _ if alone => Some(Stop::Reached),
            0 => Some(Stop::Woken),
            _ => None,
        };
        state.left = state.left.saturating_sub(1);
        if state.stop.is_some() {
            state.wake();
        }
    }

    /// An idle period ends.
    pub(super) fn ends(&self) {
        let mut state = lock(&self.0);
        if let Some(has_ended) = &mut state.has_ended {
            *has_ended = true;
            state.wake();
        }
    }

    /// Why the runtime stops, if it does. Otherwise the beginning or end of an idle period wakes
    /// the waker.
    pub(super) fn poll_stop(&self, cx: &Context<'_>) -> Option<Stop> {
        let mut state = lock(&self.0);
        state.waits = Some(cx.waker().clone());
        state.stop
    }

    /// Whether an idle period has ended since the last call.
    pub(super) fn take_ended(&self) -> bool {
        let mut state = lock(&self.0);
        state.has_ended.as_mut().is_some_and(std::mem::take)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waits) = self.waits.take() {
            waits.wake();
        }
    }
}
