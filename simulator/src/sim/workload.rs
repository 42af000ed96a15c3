//! A workflow to simulate: how it runs, and what the oracles know of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crashpoint::protocol::Definition;
use smol_str::SmolStr;

use crate::choices::Exhaustive;
use crate::fault::LeftOut;
use crate::history::{History, LifeEnd};
use crate::sim::{Lane, OwnStore, Release, Settings, SharedChoices, Subject, Upgrade, simulate};

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
    /// The definitions of the runs beside the first, if it has several. Its subject runs in each process the
    /// run of that process.
    pub also: Vec<Definition>,
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
    /// The store under it, if it is not the store that the settings name.
    pub own_store: Option<OwnStore>,
    /// The runtime around its tasks.
    pub lane: Lane,
    /// The meaning of a panicking task.
    pub panics: Panics,
    /// A life that waits this often counts as endless.
    pub waits_max: u32,
    /// How soon a run must end after the last fault, if the test says so.
    pub deadline: Option<Deadline>,
    /// The faults that its schedules never have.
    pub left_out: Arc<LeftOut>,
    /// The endings to which no fault leads, and which it has all the same.
    pub accepts: Vec<OddEnding>,
    /// How its run without faults ends, once somebody has asked.
    pub calm: CalmEnding,
}

/// How soon a run must end after the last fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The most lives that begin after it.
    pub lives: u32,
    /// The longest virtual time after it.
    pub time: Duration,
}

/// An ending of a run to which no fault leads. An oracle objects to it unless the workload accepts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddEnding {
    /// Nothing goes wrong, and the run is not done.
    Calm,
    /// The run is stuck although the schedule made no undo fail.
    Stuck,
    /// Crashes alone turn a run that is done into a run that is rolled back, or the other way round.
    Crashed,
}

impl OddEnding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Stuck, Self::Crashed];
}

/// The ending of a workload's run without faults. It is simulated when it is first asked for.
#[derive(Debug, Default)]
pub struct CalmEnding(OnceLock<Option<LifeEnd>>);

impl Workload {
    /// The definition of each run, before any upgrade.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        std::iter::once(&self.definition).chain(&self.also)
    }

    /// For each run the number of attempts of each task that never fails for good.
    pub(super) fn pivots(&self) -> Vec<BTreeMap<SmolStr, u32>> {
        let of_run = |definition: &Definition| {
            let pivots = self.left_out.pivots().filter_map(|name| {
                let state = definition.state_of_task(name)?;
                let task = definition.task(state)?;
                Some((name.into(), task.policy.retry.attempts()))
            });
            pivots.collect()
        };
        self.definitions().map(of_run).collect()
    }

    /// Whether it accepts such an ending.
    pub fn accepts(&self, ending: OddEnding) -> bool {
        self.accepts.contains(&ending)
    }

    /// How its run ends if nothing goes wrong; `None` if it does not end.
    pub fn calm_ending(&self) -> Option<&LifeEnd> {
        let calm = self.calm.0.get_or_init(|| {
            let choices = Arc::new(Mutex::new(Exhaustive::new())) as SharedChoices;
            let run = simulate(self, &Settings::default(), choices);
            run.history.outcome().cloned()
        });
        calm.as_ref()
    }
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
