//! The surroundings of a simulated life's tasks: nothing, or a runtime that they call by name.

#[cfg(feature = "tokio")]
mod idle;
#[cfg(feature = "tokio")]
mod rounds;
mod time;
#[cfg(feature = "tokio")]
mod tokio_runtime;

use std::time::Duration;

use crate::executor::{Executor, TaskId};
use crate::sim::Process;

/// A thread can block on one runtime only.
#[cfg(feature = "tokio")]
const WITHIN_ANOTHER: &str = "a crash test with tokio() brings a runtime for each of its processes, and \
    can't be run within another: make it a plain #[test] and no #[tokio::test], or run it on a thread of \
    its own";

/// The runtime around the tasks of a workload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lane {
    /// None: tasks wait through their [`Ctx`](crashpoint::Ctx).
    #[default]
    Own,
    /// A tokio runtime for each life, current-thread and with a paused clock: `tokio::time`,
    /// `tokio::spawn` and `tokio::sync` work.
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Lane {
    /// Refuses a place in which the lane cannot run.
    #[track_caller]
    pub(crate) fn assert_runs_here(self) {
        #[cfg(feature = "tokio")]
        if self != Self::Own && tokio::runtime::Handle::try_current().is_ok() {
            panic!("{WITHIN_ANOTHER}");
        }
    }

    /// The surroundings of a new life.
    pub(crate) fn surroundings(self, process: &Process) -> Option<Box<dyn Surroundings>> {
        match self {
            Self::Own => {
                let _ = process;
                None
            }
            #[cfg(feature = "tokio")]
            Self::Tokio => Some(Box::new(tokio_runtime::TokioSurroundings::new(process))),
        }
    }
}

/// How far a runtime around a life runs by itself.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "only a lane with a runtime uses it")
)]
pub(crate) struct Reach {
    /// Until this time on the simulation's clock.
    pub(crate) until: Duration,
    /// The number of idle periods after which its own timers may wake it.
    pub(crate) wakes: u32,
    /// The number of polls of spawned tasks without an idle period.
    pub(crate) polls: u32,
    /// Whether it stops when the last spawned task ends.
    pub(crate) with_spawned: bool,
}

/// Why a runtime that ran by itself has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "only a lane with a runtime uses it")
)]
pub(crate) enum Stop {
    /// It reached its limit, or the executor has work.
    Reached,
    /// It was woken too often.
    Woken,
    /// It never becomes idle: spawned tasks do nothing but yield.
    Spinning,
}

/// A runtime around the tasks of one life. Spawned tasks die with it.
pub(crate) trait Surroundings {
    /// Polls a task of the life within the runtime.
    fn poll(&self, executor: &Executor, task: TaskId) -> bool;

    /// Drops the tasks of the life within the runtime.
    fn kill(&self, kill: &mut dyn FnMut());

    /// The time on its clock since the simulation began. It may be ahead of the executor's.
    fn now(&self) -> Duration;

    /// Runs by itself: catches up with the executor's clock, runs spawned tasks, and lets time
    /// pass, until a task of the executor is ready, the executor notifies it, or it reaches its
    /// limit.
    fn run(&self, executor: &Executor, reach: Reach) -> Stop;

    /// Whether a spawned task has not ended.
    fn has_spawned(&self) -> bool;
}
