//! Two releases of a workflow as one subject: each life runs its release.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::history::LifeEnd;
use crate::sim::{Process, Release, Rollout, Subject};

/// Both releases in one world.
pub(crate) struct Releases {
    pub(crate) old: Arc<dyn Subject>,
    pub(crate) new: Arc<dyn Subject>,
    pub(crate) rollout: Rollout,
}

impl Releases {
    /// The release that a process runs.
    fn of(&self, process: &Process) -> &dyn Subject {
        let state = process.sim().state();
        let history = &state.lasting.history;
        match self.rollout.release(process.life(), history) {
            Release::Old => &*self.old,
            Release::New => &*self.new,
        }
    }
}

impl Subject for Releases {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.of(process).start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.of(process).resume(process)
    }
}
