//! A workflow to simulate: how it runs, and what the oracles know of it.

use std::sync::Arc;

use crashpoint::protocol::Definition;

use crate::history::History;
use crate::sim::{Lane, Release, Subject, Upgrade};

/// A workflow to explore, with the facts that the oracles need.
pub struct Workload {
    /// Its name on the command line, in lower case with hyphens. The name of a mutant ends with `~`
    /// and the broken rule.
    pub name: String,
    /// Its description, in one line.
    pub about: &'static str,
    /// Creates a fresh subject.
    pub subject: Box<dyn Fn() -> Arc<dyn Subject> + Send + Sync>,
    /// The definition that its log is checked against.
    pub definition: Definition,
    /// The release that replaces this workload in later lives, if its upgrade is tested.
    pub upgrade: Option<Upgrade>,
    /// How its processes hold the store.
    pub sharing: Sharing,
    /// Whether the operator retries a stuck run.
    pub retry_stuck: bool,
    /// Whether undos and steps pass on their input (an output or a cursor) as the payload of their
    /// effect. Two oracles compare it with the log.
    pub echoes: bool,
    /// The length of its runs.
    pub length: Length,
    /// The world of its tasks.
    pub acts_on: ActsOn,
    /// The runtime around its tasks.
    pub lane: Lane,
    /// The meaning of a panicking task.
    pub panics: Panics,
    /// A life that waits this often counts as endless.
    pub waits_max: u32,
}

/// [`Workload::waits_max`], unless a workload says otherwise.
pub const WAITS_MAX: u32 = 1_000;

/// The length of the runs of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// About twenty instants: short enough to exhaust the fastest growing spaces while somebody
    /// waits, which are every pair of takeovers with every later switch, and everything that a
    /// power loss may keep.
    Short,
    /// Longer: the fastest growing spaces are sampled.
    Long,
}

/// The meaning of a panic of a task, a step or an undo that the schedule did not cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panics {
    /// A bug: it breaks a promise in every schedule in which it happens.
    Fail,
    /// A part of the workflow: it is a failure of the task.
    Belong,
}

/// The world on which the tasks of a workload act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsOn {
    /// Only the simulated world, which is copied with everything else that survives a crash.
    Simulated,
    /// A world of the subject that cannot be copied, so every schedule runs from its start.
    Own,
    /// A world of the subject that it copies ([`Subject::survivor`]) and fingerprints.
    Copied,
}

/// How the processes of a workload hold the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Any number of processes at a time; only the log separates them.
    Shared,
    /// One process at a time, as the store declares.
    Exclusive,
}

impl Workload {
    /// The definition of a release.
    ///
    /// # Panics
    ///
    /// If the workload has no new release, and it is asked for.
    pub fn definition_of(&self, release: Release) -> &Definition {
        match (release, &self.upgrade) {
            (Release::Old, _) => &self.definition,
            (Release::New, Some(upgrade)) => &upgrade.definition,
            (Release::New, None) => panic!("{} has no new release", self.name),
        }
    }

    /// The release that a life runs.
    pub(crate) fn release(&self, life: u32, history: &History) -> Release {
        let upgrade = self.upgrade.as_ref();
        upgrade.map_or(Release::Old, |it| it.rollout.release(life, history))
    }
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
