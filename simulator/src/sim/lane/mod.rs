//! The surroundings of a simulated life's tasks: nothing, or a runtime that they call by name.

#[cfg(feature = "tokio")]
mod rounds;
mod time;
#[cfg(feature = "tokio")]
mod tokio_runtime;

use std::time::Duration;

use smol_str::SmolStr;

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
    /// Whether tasks of a life may run beside each other, so that the order of their instants is
    /// drawn.
    pub(crate) fn has_turns(self) -> bool {
        self != Self::Own
    }

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

/// The spawned task that is polled now, if any.
pub(crate) fn spawned_task() -> Option<SmolStr> {
    #[cfg(feature = "tokio")]
    return tokio::task::try_id().map(|id| smol_str::format_smolstr!("{id}"));
    #[cfg(not(feature = "tokio"))]
    None
}

/// Why a runtime has stopped polling its spawned tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, reason = "only a lane with a runtime uses it")
)]
pub(crate) enum Settled {
    /// None of them is ready.
    Idle,
    /// The executor has work.
    Notified,
    /// It never becomes idle: spawned tasks do nothing but yield.
    Spinning,
}

/// A runtime around the tasks of one life. Spawned tasks die with it. Its clock shows the
/// executor's time, or is ahead of it; then the life waits.
pub(crate) trait Surroundings {
    /// Polls a task of the life within the runtime.
    fn poll(&self, executor: &Executor, task: TaskId) -> bool;

    /// Drops the tasks of the life within the runtime.
    fn kill(&self, kill: &mut dyn FnMut());

    /// The time on its clock since the simulation began. It may be ahead of the executor's.
    fn now(&self) -> Duration;

    /// Polls spawned tasks at the present time, until none is ready, the executor has work, or
    /// there were too many polls.
    fn settle(&self, executor: &Executor, polls_max: u32) -> Settled;

    /// Lets the time on its clock pass until its next timer, or until `until`, and returns it.
    /// Polls no task. It may be ahead of `until` by less than a millisecond, the unit of tokio's
    /// timers.
    fn wait(&self, until: Duration) -> Duration;

    /// Whether a spawned task has not ended.
    fn has_spawned(&self) -> bool;
}
