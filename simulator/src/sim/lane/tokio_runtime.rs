//! tokio's paused clock around a life.
//!
//! The simulation's executor remains the scheduler of the life's own tasks: a poll of one only
//! enters the runtime. (If a `block_on` ended with each poll, tokio would forget to wake a task
//! that has yielded to tokio.) Spawned tasks are polled only in [`settle`](Surroundings::settle),
//! while no task of the executor is ready, and time passes only in [`wait`](Surroundings::wait),
//! which polls nothing. So the two clocks are one at every poll.

use std::cell::OnceCell;
use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{Instant, advance, sleep_until};

use crate::executor::{Executor, Follower, TaskId, lock};
use crate::history::Stopped;
use crate::sim::Process;
use crate::sim::lane::rounds::{Queue, Rounds, Sentinel};
use crate::sim::lane::{Settled, Surroundings};

pub(super) struct TokioSurroundings {
    runtime: Runtime,
    clock: Arc<TokioClock>,
    waiting: Arc<Mutex<Option<Waiting>>>,
    /// Set once a task was spawned.
    sentinel: OnceCell<Sentinel>,
}

/// The paused clock of a runtime.
struct TokioClock {
    handle: Handle,
    /// The time on the simulation's clock when the runtime began.
    born: Duration,
    /// The time on tokio's clock then.
    base: Instant,
}

/// A `block_on` that waits for time to pass.
struct Waiting {
    since: Instant,
    waker: Waker,
}

impl TokioClock {
    fn at(&self, now: Duration) -> Instant {
        self.base + now.saturating_sub(self.born)
    }

    fn now(&self) -> Duration {
        let _entered = self.handle.enter();
        self.born + (Instant::now() - self.base)
    }
}

impl Follower for TokioClock {
    fn follow(&self, now: Duration) {
        let _entered = self.handle.enter();
        let behind = self.at(now) - Instant::now();
        if !behind.is_zero() {
            // Its first poll moves the clock. Then it yields, which nobody needs here.
            _ = pin!(advance(behind)).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl TokioSurroundings {
    pub(super) fn new(process: &Process) -> Self {
        let executor = &process.sim().executor;
        // A runtime that panics while it is asked for a thread is never dropped, and neither is
        // this.
        let stop = process.stopper();
        let waiting: Arc<Mutex<Option<Waiting>>> = Arc::default();
        let ends = Arc::clone(&waiting);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            // After a crash no spawned task is polled.
            .event_interval(1)
            // The runtime parks only to let time pass. If something has woken it before, it parks
            // once without that, and a wake-up now would make it do so for ever.
            .on_thread_unpark(move || {
                let ended = lock(&ends).take_if(|it| Instant::now() > it.since);
                if let Some(ended) = ended {
                    ended.waker.wake();
                }
            })
            // Called when a task needs a thread, before the thread exists, so its work is never
            // done. No draw could decide when a thread finishes.
            .thread_name_fn(move || {
                stop(Stopped::WantsThread);
                panic!("{}", Stopped::WantsThread)
            })
            .build()
            .expect("a runtime without I/O needs nothing from the operating system");
        let handle = runtime.handle().clone();
        let clock = Arc::new(TokioClock {
            born: executor.now(),
            base: runtime.block_on(async { Instant::now() }),
            handle,
        });
        let follower: Arc<dyn Follower> = Arc::clone(&clock) as _;
        executor.add_follower(Arc::downgrade(&follower));
        Self {
            runtime,
            clock,
            waiting,
            sentinel: OnceCell::new(),
        }
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
        self.clock.now()
    }

    fn settle(&self, executor: &Executor, polls_max: u32) -> Settled {
        assert_eq!(
            self.now(),
            executor.now(),
            "spawned tasks are polled while the clocks are one"
        );
        executor.forget_notification();
        let mut queue = self.has_spawned().then(|| {
            let sentinel = self.sentinel.get_or_init(|| Sentinel::on(&self.runtime));
            Rounds::new(sentinel, polls_max)
        });
        let mut begun = false;
        let settled = self.runtime.block_on(poll_fn(|cx| {
            if executor.take_notification(cx) {
                return Poll::Ready(Settled::Notified);
            }
            let state = match &mut queue {
                Some(rounds) => rounds.next(cx),
                None if begun => Queue::Empty,
                // tokio fires the timers that are due before the next poll.
                None => {
                    begun = true;
                    cx.waker().wake_by_ref();
                    Queue::Busy
                }
            };
            match state {
                Queue::Busy => Poll::Pending,
                Queue::Empty => Poll::Ready(Settled::Idle),
                Queue::Endless => Poll::Ready(Settled::Spinning),
            }
        }));
        executor.forget_notification();
        settled
    }

    fn wait(&self, until: Duration) -> Duration {
        assert!(self.now() < until, "time only goes forward");
        let until = self.clock.at(until);
        self.runtime.block_on(async {
            let (since, mut limit) = (Instant::now(), pin!(sleep_until(until)));
            poll_fn(|cx| {
                if Instant::now() > since || limit.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                let waker = cx.waker().clone();
                *lock(&self.waiting) = Some(Waiting { since, waker });
                Poll::Pending
            })
            .await;
        });
        // Otherwise the waker would keep the runtime alive, which holds this in its hook.
        *lock(&self.waiting) = None;
        self.now()
    }

    fn has_spawned(&self) -> bool {
        self.runtime.metrics().num_alive_tasks() > self.own()
    }
}
