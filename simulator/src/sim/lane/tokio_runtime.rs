//! tokio's paused clock around a life.
//!
//! The simulation's executor stays the scheduler of the life's own tasks: each poll of one is a
//! `block_on` that ends with it. What they spawned, and the timers of tokio, go on only in
//! [`run`](TokioSurroundings::run), while nothing of the executor's is ready.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::select;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, advance, sleep_until};

use crate::executor::{Bell, Executor, TaskId, lock};
use crate::sim::lane::{Reach, Surroundings, WANTS_THREAD};

pub(super) struct TokioSurroundings {
    runtime: Runtime,
    /// What the simulation's clock showed when the runtime began.
    born: Duration,
    /// What tokio's showed then.
    base: Instant,
    wants_thread: Arc<AtomicBool>,
    idle: Arc<Idle>,
}

/// What is made of it that the runtime falls idle: the next thing would be a timer of tokio's. It is
/// counted, since what was spawned may go round for ever.
#[derive(Default)]
struct Idle {
    /// How often it still may.
    left: AtomicU32,
    /// Whether it is over with the last task that was spawned.
    with_spawned: AtomicBool,
    over: AtomicBool,
    waits: Mutex<Option<Waker>>,
}

impl Idle {
    fn begin(&self, reach: Reach) {
        self.left.store(reach.wakes, Ordering::Relaxed);
        self.with_spawned
            .store(reach.with_spawned, Ordering::Relaxed);
        self.over.store(false, Ordering::Relaxed);
    }

    /// Within the runtime, on its thread.
    fn falls_idle(&self) {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        let spawned = || Handle::try_current().is_ok_and(|it| it.metrics().num_alive_tasks() > 0);
        let alone = self.with_spawned.load(Ordering::Relaxed) && !spawned();
        if left == 0 || alone {
            self.over.store(true, Ordering::Relaxed);
            let waits = lock(&self.waits).take();
            if let Some(waits) = waits {
                waits.wake();
            }
        }
    }

    fn is_over(&self, cx: &Context<'_>) -> bool {
        *lock(&self.waits) = Some(cx.waker().clone());
        self.over.load(Ordering::Relaxed)
    }
}

impl TokioSurroundings {
    pub(super) fn new(now: Duration) -> Self {
        let wants_thread = Arc::new(AtomicBool::new(false));
        let wanted = Arc::clone(&wants_thread);
        let idle = Arc::new(Idle::default());
        let falls_idle = Arc::clone(&idle);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            // After a crash nothing more of what was spawned is polled.
            .event_interval(1)
            .on_thread_park(move || falls_idle.falls_idle())
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
            idle,
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

    fn run(&self, executor: &Executor, reach: Reach) -> bool {
        self.idle.begin(reach);
        let bell: &Bell = executor.bell();
        let stopped = poll_fn(|cx| {
            let asks = self.wants_thread.load(Ordering::Relaxed);
            if asks || self.idle.is_over(cx) || bell.has_rung(cx) {
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
            let limit = sleep_until(self.at(reach.until));
            select(pin!(stopped), pin!(limit)).await;
        });
        self.idle.left.load(Ordering::Relaxed) > 0
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
