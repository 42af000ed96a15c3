//! Two releases of a user's workflow in one world, as a subject.

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Rules, Without};
use crashpoint::{Retention, State};
use futures_util::future::BoxFuture;

use crate::crash_test::{Invariant, Merging};
use crate::history::{Ending, LifeEnd};
use crate::sim::{BrokenInvariant, Process, Release, Rollout, Subject};
use crate::crash_test::upgrade::Program;
use crate::workload::Rule;
use crate::workload::engine_subject::EngineSubject;

/// What a test runs, in any world.
pub(super) struct SubjectTemplate<Old, New, W> {
    pub(super) old: Program<Old, W>,
    pub(super) new: Program<New, W>,
    pub(super) rollout: Rollout,
    pub(super) broken_rule: Option<Rule>,
    pub(super) invariants: Arc<[Invariant<W>]>,
    pub(super) merging: Option<Arc<Merging<W>>>,
}

/// Both releases, and the world that their tasks act on.
pub(super) struct UpgradeSubject<Old, New, W> {
    old: Box<dyn Subject>,
    new: Box<dyn Subject>,
    world: Arc<W>,
    template: Arc<SubjectTemplate<Old, New, W>>,
}

impl<S: State, W: Send + Sync + 'static> Program<S, W> {
    pub(super) fn copy(&self) -> Self {
        Self {
            start: self.start,
            input: self.input.clone(),
            workflow: Arc::clone(&self.workflow),
        }
    }

    /// The release in a world, run by an engine under these rules.
    fn in_world<R: Rules>(&self, world: &Arc<W>, rules: R) -> Box<dyn Subject> {
        let (own, workflow) = (Arc::clone(world), Arc::clone(&self.workflow));
        Box::new(EngineSubject {
            workflow: Arc::new(move |process| workflow(process, &own)),
            start: self.start,
            input: self.input.clone(),
            retention: Retention::Keep,
            rules,
        })
    }
}

impl<Old: State, New: State, W: Send + Sync + 'static> UpgradeSubject<Old, New, W> {
    pub(super) fn new(world: Arc<W>, template: &Arc<SubjectTemplate<Old, New, W>>) -> Self {
        Self {
            old: template.old.in_world(&world, Faithful),
            new: match template.broken_rule {
                None => template.new.in_world(&world, Faithful),
                Some(rule) => template.new.in_world(&world, Without(rule)),
            },
            world,
            template: Arc::clone(template),
        }
    }

    /// The release that a process runs.
    fn release(&self, process: &Process) -> &dyn Subject {
        let state = process.sim().state();
        let history = &state.lasting.history;
        match self.template.rollout.release(process.life(), history) {
            Release::Old => &*self.old,
            Release::New => &*self.new,
        }
    }
}

impl<Old: State, New: State, W: Send + Sync + 'static> Subject for UpgradeSubject<Old, New, W> {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.release(process).start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.release(process).resume(process)
    }

    fn broken_invariants_after(&self, ending: &Ending<'_>) -> Vec<BrokenInvariant> {
        let invariants = self.template.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken(&self.world, ending));
        broken.collect()
    }

    fn survivor(&self) -> Option<Arc<dyn Subject>> {
        let merging = self.template.merging.as_ref()?;
        let world = Arc::new((merging.copy)(&self.world));
        Some(Arc::new(Self::new(world, &self.template)))
    }

    fn fingerprint(&self) -> u64 {
        let merging = self.template.merging.as_ref();
        merging.map_or(0, |merging| (merging.fingerprint)(&self.world))
    }
}
