//! What is made of it that a runtime of tokio's falls idle: the next thing would be a timer of its own.
//!
//! It is counted, since what was spawned may be woken for ever. The hooks that tell of it run within the
//! runtime, on its thread.

use std::sync::Mutex;
use std::task::{Context, Waker};

use tokio::runtime::Handle;

use crate::executor::lock;
use crate::sim::lane::{Reach, Stop};

#[derive(Default)]
pub(super) struct Idle(Mutex<State>);

#[derive(Default)]
struct State {
    /// How often it still may.
    left: u32,
    /// Stops with the last task that was spawned, where only so many are left, which are our own.
    alone: Option<usize>,
    stop: Option<Stop>,
    /// Something may be ready since it fell idle last; none where nobody asks for it.
    has_ended: Option<bool>,
    waits: Option<Waker>,
}

impl Idle {
    /// Forgets what was, with so many tasks of our own on the runtime. Whether it is told that the
    /// runtime is idle no more: who is woken by that has to be seen through a round, since no time passes
    /// for a runtime that was woken.
    pub(super) fn begin(&self, reach: Reach, own: usize, tells: bool) {
        *lock(&self.0) = State {
            left: reach.wakes,
            alone: reach.with_spawned.then_some(own),
            has_ended: tells.then_some(true),
            ..State::default()
        };
    }

    /// Forgets everything. The waker would keep the runtime, which has this in its hooks.
    pub(super) fn end(&self) {
        *lock(&self.0) = State::default();
    }

    /// It falls idle.
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

    /// It is idle no more.
    pub(super) fn ends(&self) {
        let mut state = lock(&self.0);
        if let Some(has_ended) = &mut state.has_ended {
            *has_ended = true;
            state.wake();
        }
    }

    /// Why it goes on no further, if so; otherwise the waker is woken when it falls idle or is so no more.
    pub(super) fn poll_stop(&self, cx: &Context<'_>) -> Option<Stop> {
        let mut state = lock(&self.0);
        state.waits = Some(cx.waker().clone());
        state.stop
    }

    /// Whether it is idle no more, since this was asked last.
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
