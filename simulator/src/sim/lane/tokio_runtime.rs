//! tokio's paused clock around a life.
//!
//! The simulation's executor remains the scheduler of the life's own tasks: a poll of one only
//! enters the runtime. (If a `block_on` ended with each poll, tokio would forget to wake a task
//! that has yielded to tokio.) Spawned tasks and tokio's timers advance only in
//! [`run`](TokioSurroundings::run), while the executor has no ready task.

use std::cell::OnceCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, advance, sleep_until};

use crate::executor::{Executor, TaskId};
use crate::history::Stopped;
use crate::sim::Process;
use crate::sim::lane::idle::Idle;
use crate::sim::lane::rounds::{Rounds, Sentinel};
use crate::sim::lane::{Reach, Stop, Surroundings};

pub(super) struct TokioSurroundings {
    runtime: Runtime,
    /// The time on the simulation's clock when the runtime began.
    born: Duration,
    /// The time on tokio's clock then.
    base: Instant,
    idle: Arc<Idle>,
    /// Set once a task was spawned.
    sentinel: OnceCell<Sentinel>,
}

impl TokioSurroundings {
    pub(super) fn new(process: &Process) -> Self {
        let now = process.sim().executor.now();
        // A runtime that panics while it is asked for a thread is never dropped, and neither is
        // this.
        let stop = process.stopper();
        let idle = Arc::new(Idle::default());
        let (falls_idle, wakes) = (Arc::clone(&idle), Arc::clone(&idle));
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            // After a crash no spawned task is polled.
            .event_interval(1)
            .on_thread_park(move || falls_idle.begins())
            .on_thread_unpark(move || wakes.ends())
            // Called when a task needs a thread, before the thread exists, so its work is never
            // done. No draw could decide when a thread finishes.
            .thread_name_fn(move || {
                stop(Stopped::WantsThread);
                panic!("{}", Stopped::WantsThread)
            })
            .build()
            .expect("a runtime without I/O needs nothing from the operating system");
        let base = runtime.block_on(async { Instant::now() });
        Self {
            runtime,
            born: now,
            base,
            idle,
            sentinel: OnceCell::new(),
        }
    }

    fn at(&self, now: Duration) -> Instant {
        self.base + now.saturating_sub(self.born)
    }

    /// The task that shows whether anything else is ready, if anything can be.
    fn sentinel(&self) -> Option<&Sentinel> {
        let has_spawned = self.has_spawned();
        has_spawned.then(|| self.sentinel.get_or_init(|| Sentinel::on(&self.runtime)))
    }

    /// The number of our own tasks on the runtime.
    fn own(&self) -> usize {
        usize::from(self.sentinel.get().is_some())
    }
}

impl Surroundings for TokioSurroundings {
    fn poll(&self, executor: &Executor, task: TaskId) -> bool {
        let _entered = self.runtime.enter();
        executor.poll(task)
    }

    fn kill(&self, kill: &mut dyn FnMut()) {
        let _entered = self.runtime.enter();
        kill();
    }

    fn now(&self) -> Duration {
        let _entered = self.runtime.enter();
        self.born + (Instant::now() - self.base)
    }

    fn run(&self, executor: &Executor, reach: Reach) -> Stop {
        let sentinel = self.sentinel();
        let mut rounds = sentinel.map(|sentinel| Rounds::new(sentinel, reach.polls));
        self.idle.begin(reach, self.own(), rounds.is_some());
        let stop = self.runtime.block_on(async {
            let behind = self.at(executor.now()) - Instant::now();
            if !behind.is_zero() {
                advance(behind).await;
            }
            let mut limit = pin!(sleep_until(self.at(reach.until)));
            poll_fn(|cx| {
                if let Some(stop) = self.idle.poll_stop(cx) {
                    return Poll::Ready(stop);
                }
                if executor.take_notification(cx) || limit.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Stop::Reached);
                }
                let Some(rounds) = &mut rounds else {
                    return Poll::Pending;
                };
                if self.idle.take_ended() {
                    rounds.begin();
                }
                rounds.poll(cx).map(|()| Stop::Spinning)
            })
            .await
        });
        self.idle.end();
        executor.forget_notification();
        stop
    }

    fn has_spawned(&self) -> bool {
        self.runtime.metrics().num_alive_tasks() > self.own()
    }
}
