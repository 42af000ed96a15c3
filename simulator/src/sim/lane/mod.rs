//! What surrounds the tasks of a simulated life: nothing, or a runtime that they call by name.

mod time;
#[cfg(feature = "tokio")]
mod tokio_runtime;

use std::time::Duration;

use crate::executor::{Executor, TaskId};

/// Which runtime the tasks of a workload find around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lane {
    /// None: they wait through their [`Ctx`](crashpoint_engine::Ctx).
    #[default]
    Own,
    /// A runtime of tokio's for each life, of one thread and with its clock paused: `tokio::time`,
    /// `tokio::spawn` and `tokio::sync` work.
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Lane {
    /// The surroundings of a life that begins.
    pub(crate) fn surroundings(self, now: Duration) -> Option<Box<dyn Surroundings>> {
        match self {
            Self::Own => {
                let _ = now;
                None
            }
            #[cfg(feature = "tokio")]
            Self::Tokio => Some(Box::new(tokio_runtime::TokioSurroundings::new(now))),
        }
    }
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
    /// pass, until a task of the executor is ready, the bell of the executor rings, or it is `until`.
    fn run(&self, executor: &Executor, until: Duration);

    /// Whether anything that was spawned on it has not ended.
    fn has_spawned(&self) -> bool;

    /// Why the life can't be simulated, if it has asked for what there is not.
    fn refusal(&self) -> Option<&'static str>;
}
