//! A small executor with virtual time.
//!
//! It has one thread and no clock of its own. The caller asks which tasks are ready, picks one,
//! polls it, and lets the time jump to the next timer when nothing is ready. So the choice of the
//! task can be drawn. Each task belongs to a process. Killing a process drops its futures at once;
//! that is a crash.

mod panics;
mod runtime;

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;

pub(crate) use panics::{message_of, quietly, quietly_noting_panics};
pub use runtime::SimRuntime;

/// The simulated process of a task.
pub(crate) type ProcessId = u32;

/// The number of a task.
pub(crate) type TaskId = u64;

/// The executor. Clones share their state.
#[derive(Clone, Default)]
pub(crate) struct Executor {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tasks: Mutex<Tasks>,
    ready: Arc<ReadyQueue>,
    clock: Mutex<Clock>,
    followers: Mutex<Vec<Weak<dyn Follower>>>,
}

/// A second clock, which shows the executor's time at every poll.
pub(crate) trait Follower: Send + Sync {
    /// Moves the clock forward to `now`, unless it is ahead.
    fn follow(&self, now: Duration);
}

#[derive(Default)]
struct Tasks {
    next: TaskId,
    slots: BTreeMap<TaskId, Slot>,
}

struct Slot {
    process: ProcessId,
    /// Absent while it is polled.
    future: Option<BoxFuture<'static, ()>>,
    waker: Waker,
}

/// The work that waits for the caller who polls the tasks.
#[derive(Default)]
struct ReadyQueue(Mutex<Ready>);

#[derive(Default)]
struct Ready {
    /// The woken tasks, in the order of waking, each once.
    tasks: Vec<TaskId>,
    /// Whether anything new arrived since the last check.
    notified: bool,
    /// The waker of a tokio runtime around a life, which runs by itself until something new
    /// arrives.
    waiter: Option<Waker>,
}

#[derive(Default)]
struct Clock {
    now: Duration,
    next: u64,
    timers: BTreeMap<(Duration, u64), Waker>,
}

struct TaskWaker {
    task: TaskId,
    ready: Arc<ReadyQueue>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.task);
    }
}

impl ReadyQueue {
    fn push(&self, task: TaskId) {
        let mut ready = lock(&self.0);
        if !ready.tasks.contains(&task) {
            ready.tasks.push(task);
        }
        Self::notify(ready);
    }

    fn notify(mut ready: MutexGuard<'_, Ready>) {
        ready.notified = true;
        let waiter = ready.waiter.take();
        drop(ready);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

impl Executor {
    /// An executor without tasks whose virtual time begins at `now`.
    pub(crate) fn beginning_at(now: Duration) -> Self {
        let executor = Self::default();
        lock(&executor.shared.clock).now = now;
        executor
    }

    /// Adds a task, which is ready at once.
    pub(crate) fn spawn(&self, process: ProcessId, future: BoxFuture<'static, ()>) -> TaskId {
        let mut tasks = lock(&self.shared.tasks);
        let task = tasks.next;
        tasks.next += 1;
        let ready = Arc::clone(&self.shared.ready);
        let waker = Waker::from(Arc::new(TaskWaker { task, ready }));
        let slot = Slot {
            process,
            future: Some(future),
            waker,
        };
        let replaced = tasks.slots.insert(task, slot);
        assert!(replaced.is_none(), "each task has a number of its own");
        drop(tasks);
        self.shared.ready.push(task);
        task
    }

    /// The tasks that can be polled, in the order of waking.
    pub(crate) fn ready(&self) -> Vec<TaskId> {
        let tasks = lock(&self.shared.tasks);
        let mut ready = lock(&self.shared.ready.0);
        ready.tasks.retain(|task| tasks.slots.contains_key(task));
        ready.tasks.clone()
    }

    /// Whether any task is left, ready or not.
    pub(crate) fn has_tasks(&self) -> bool {
        !lock(&self.shared.tasks).slots.is_empty()
    }

    /// The process of a task that still exists.
    pub(crate) fn process_of(&self, task: TaskId) -> Option<ProcessId> {
        lock(&self.shared.tasks)
            .slots
            .get(&task)
            .map(|slot| slot.process)
    }

    /// Polls a ready task once. Returns true if it is still pending.
    pub(crate) fn poll(&self, task: TaskId) -> bool {
        let mut ready = lock(&self.shared.ready.0);
        ready.tasks.retain(|ready| *ready != task);
        drop(ready);
        let taken = lock(&self.shared.tasks)
            .slots
            .get_mut(&task)
            .and_then(|slot| Some((slot.future.take()?, slot.waker.clone())));
        let Some((mut future, waker)) = taken else {
            return false;
        };
        // No lock is held here, because the task may spawn, wake and set timers.
        let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut tasks = lock(&self.shared.tasks);
        if poll.is_pending() {
            if let Some(slot) = tasks.slots.get_mut(&task) {
                slot.future = Some(future);
                return true;
            }
        } else {
            tasks.slots.remove(&task);
        }
        drop(tasks);
        false
    }

    /// Drops every task of a process.
    pub(crate) fn kill(&self, process: ProcessId) {
        let mut dropped = Vec::new();
        lock(&self.shared.tasks).slots.retain(|_, slot| {
            let keep = slot.process != process;
            if !keep {
                dropped.push(slot.future.take());
            }
            keep
        });
        // Outside of the lock: a user's destructor may use the executor.
        for future in dropped {
            // A user's destructor may panic. The process is dead, so the panic is ignored.
            _ = quietly(|| std::panic::catch_unwind(AssertUnwindSafe(|| drop(future))));
        }
    }

    /// Lets the time jump to the next timer and wakes it. Returns false if there is none.
    pub(crate) fn advance(&self) -> bool {
        let mut clock = lock(&self.shared.clock);
        let Some(((due, _), waker)) = clock.timers.pop_first() else {
            return false;
        };
        assert!(
            due >= clock.now,
            "a timer that is due has been taken out, so time only goes forward"
        );
        clock.now = due;
        drop(clock);
        self.move_followers(due);
        waker.wake();
        true
    }

    /// From now on the clock follows this executor's, until it is dropped.
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "only a lane with a runtime has a clock")
    )]
    pub(crate) fn add_follower(&self, follower: Weak<dyn Follower>) {
        let mut followers = lock(&self.shared.followers);
        followers.retain(|follower| follower.strong_count() > 0);
        followers.push(follower);
    }

    fn move_followers(&self, now: Duration) {
        let followers = lock(&self.shared.followers).clone();
        for follower in followers.iter().filter_map(Weak::upgrade) {
            follower.follow(now);
        }
    }

    /// When the next timer is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let clock = lock(&self.shared.clock);
        clock.timers.first_key_value().map(|((due, _), _)| *due)
    }

    /// Notifies a runtime that runs by itself of new work, such as the death of a process. A task
    /// that becomes ready notifies it too.
    pub(crate) fn notify(&self) {
        ReadyQueue::notify(lock(&self.shared.ready.0));
    }

    /// Takes the notification, if there is one. Otherwise the next notification wakes the waker.
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "only a lane with a runtime uses it")
    )]
    pub(crate) fn take_notification(&self, cx: &Context<'_>) -> bool {
        let mut ready = lock(&self.shared.ready.0);
        let notified = std::mem::take(&mut ready.notified);
        ready.waiter = (!notified).then(|| cx.waker().clone());
        notified
    }

    /// Forgets the notification and its waker.
    #[cfg_attr(
        not(feature = "tokio"),
        expect(dead_code, reason = "only a lane with a runtime uses it")
    )]
    pub(crate) fn forget_notification(&self) {
        let mut ready = lock(&self.shared.ready.0);
        (ready.notified, ready.waiter) = (false, None);
    }

    /// Advances the time by `duration` at once, whatever is ready, and wakes what is due then.
    pub(crate) fn leap(&self, duration: Duration) {
        let mut clock = lock(&self.shared.clock);
        let now = clock.now.saturating_add(duration);
        assert!(now >= clock.now, "a leap only goes forward");
        clock.now = now;
        let later = clock.timers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut clock.timers, later);
        drop(clock);
        // First the clocks: whoever is woken by a timer reads one time on all of them.
        self.move_followers(now);
        due.into_values().for_each(Waker::wake);
    }

    /// The virtual time since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        lock(&self.shared.clock).now
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let due = self.now().saturating_add(duration);
        Sleep {
            executor: self.clone(),
            due,
            timer: None,
        }
    }
}

/// Completes when its time has come.
struct Sleep {
    executor: Executor,
    due: Duration,
    timer: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let executor = self.executor.clone();
        let mut clock = lock(&executor.shared.clock);
        if clock.now >= self.due {
            return Poll::Ready(());
        }
        let timer = *self.timer.get_or_insert_with(|| {
            clock.next += 1;
            clock.next
        });
        clock.timers.insert((self.due, timer), cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            lock(&self.executor.shared.clock)
                .timers
                .remove(&(self.due, timer));
        }
    }
}

/// Locks a mutex. A panic of a simulated task must not hide behind a poisoned lock.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
