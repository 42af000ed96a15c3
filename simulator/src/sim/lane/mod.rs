//! What surrounds the tasks of a simulated life: nothing, or a runtime that they call by name.

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

/// A thread has one runtime that blocks it.
#[cfg(feature = "tokio")]
const WITHIN_ANOTHER: &str = "a crash test with tokio() brings a runtime for each of its processes, and \
    can't be run within another: make it a plain #[test] and no #[tokio::test], or run it on a thread of \
    its own";

/// Which runtime the tasks of a workload find around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lane {
    /// None: they wait through their [`Ctx`](crashpoint::Ctx).
    #[default]
    Own,
    /// A runtime of tokio's for each life, of one thread and with its clock paused: `tokio::time`,
    /// `tokio::spawn` and `tokio::sync` work.
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Lane {
    /// Objects to a place in which the lane can't be run.
    #[track_caller]
    pub(crate) fn assert_runs_here(self) {
        #[cfg(feature = "tokio")]
        if self != Self::Own && tokio::runtime::Handle::try_current().is_ok() {
            panic!("{WITHIN_ANOTHER}");
        }
    }

    /// The surroundings of a life that begins.
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

/// How far a runtime around a life goes by itself.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "only a lane with a runtime has a use for it")
)]
pub(crate) struct Reach {
    /// Until then on the clock of the simulation.
    pub(crate) until: Duration,
    /// It may fall idle so often, and be woken again by a timer of its own.
    pub(crate) wakes: u32,
    /// What was spawned on it may be polled so often without its falling idle.
    pub(crate) polls: u32,
    /// Whether it stops with the last task that was spawned on it.
    pub(crate) with_spawned: bool,
}

/// Why a runtime that went on by itself has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "only a lane with a runtime has a use for it")
)]
pub(crate) enum Stop {
    /// It has come as far as it may, or the executor has something to do.
    Reached,
    /// It was woken too often.
    Woken,
    /// It never falls idle: what was spawned on it does nothing but yield.
    Spinning,
}

/// A runtime around the tasks of one life. What was spawned on it dies with it.
pub(crate) trait Surroundings {
    /// Polls a task of the life within it.
    fn poll(&self, executor: &Executor, task: TaskId) -> bool;

    /// Drops the tasks of the life within it.
    fn kill(&self, kill: &mut dyn FnMut());

    /// The time on its clock, since the simulation began. It may be ahead of the executor's.
    fn now(&self) -> Duration;

    /// Goes on by itself: catches up with the executor's clock, runs what was spawned, and lets time
    /// pass, until a task of the executor is ready, the executor rings, or it has come as far
    /// as it may.
    fn run(&self, executor: &Executor, reach: Reach) -> Stop;

    /// Whether anything that was spawned on it has not ended.
    fn has_spawned(&self) -> bool;
}
