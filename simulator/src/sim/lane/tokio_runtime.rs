//! tokio's paused clock around a life.
//!
//! The simulation's executor stays the scheduler of the life's own tasks: each poll of one is a
//! `block_on` that ends with it. What they spawned, and the timers of tokio, go on only in
//! [`run`](TokioSurroundings::run), while nothing of the executor's is ready.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::select;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, advance, sleep_until};

use crate::executor::{Bell, Executor, TaskId};
use crate::sim::lane::Surroundings;

pub(super) struct TokioSurroundings {
    runtime: Runtime,
    /// What the simulation's clock showed when the runtime began.
    born: Duration,
    /// What tokio's showed then.
    base: Instant,
    wants_thread: Arc<AtomicBool>,
}

/// Blocking work is done by threads, and when they are done with it nobody can draw.
const WANTS_THREAD: &str = "a task asked tokio for a thread (`spawn_blocking`, or a call that uses \
    it, such as those of `tokio::fs`), which can't be simulated: do it inline in the test, or behind \
    a trait of yours";

impl TokioSurroundings {
    pub(super) fn new(now: Duration) -> Self {
        let wants_thread = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&wants_thread);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            // After a crash nothing more of what was spawned is polled.
            .event_interval(1)
            // Asked for by whoever needs one, before there is one: the work is never done.
            .thread_name_fn(move || {
                wanted.store(true, Ordering::Relaxed);
                panic!("{WANTS_THREAD}")
            })
            .build()
            .expect("a runtime without input and output needs nothing of the system");
        let base = runtime.block_on(async { Instant::now() });
        Self {
            runtime,
            born: now,
            base,
            wants_thread,
        }
    }

    fn at(&self, now: Duration) -> Instant {
        self.base + now.saturating_sub(self.born)
    }
}

impl Surroundings for TokioSurroundings {
    fn poll(&self, executor: &Executor, task: TaskId) -> bool {
        self.runtime
            .block_on(poll_fn(|_| Poll::Ready(executor.poll(task))))
    }

    fn kill(&self, kill: &mut dyn FnMut()) {
        let _entered = self.runtime.enter();
        kill();
    }

    fn now(&self) -> Duration {
        let _entered = self.runtime.enter();
        self.born + (Instant::now() - self.base)
    }

    fn run(&self, executor: &Executor, until: Duration) {
        let bell: &Bell = executor.bell();
        let stopped = poll_fn(|cx| {
            let asks = self.wants_thread.load(Ordering::Relaxed);
            if asks || bell.has_rung(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        self.runtime.block_on(async {
            let behind = self.at(executor.now()) - Instant::now();
            if !behind.is_zero() {
                advance(behind).await;
            }
            let limit = sleep_until(self.at(until));
            select(pin!(stopped), pin!(limit)).await;
        });
    }

    fn has_spawned(&self) -> bool {
        self.runtime.metrics().num_alive_tasks() > 0
    }

    fn refusal(&self) -> Option<&'static str> {
        self.wants_thread
            .load(Ordering::Relaxed)
            .then_some(WANTS_THREAD)
    }
}
