//! The settings that a crash test and an upgrade test share, and the workload that they make.

use std::fmt::Display;
use std::hash::Hash;
use std::panic::Location;
use std::sync::Arc;

use crashpoint::protocol::Definition;

use crate::crash_test::invariant::Invariant;
use crate::crash_test::subject::{Merging, Running, SubjectTemplate, Watched, WorldSubject};
use crate::explore::Pool;
use crate::history::{Ending, LifeEnd};
use crate::sim::{Lane, Upgrade};
use crate::workload::{
    ActsOn, CalmEnding, Length, OddEnding, Panics, Rule, Sharing, WAITS_MAX, Workload,
};

/// The settings of a test of workflows that act on a world `W`.
pub(super) struct TestSettings<W> {
    world: Arc<dyn Fn() -> W + Send + Sync>,
    pub(super) watched: Watched<W>,
    pub(super) panics: Panics,
    pub(super) lane: Lane,
    pub(super) waits_max: u32,
    pub(super) pool: Pool,
    /// A rule that the engine breaks (of an upgrade the engine of the new release), for the simulator's
    /// own tests.
    pub(super) broken_rule: Option<Rule>,
    /// The place of the test.
    pub(super) at: &'static Location<'static>,
}

/// What a test gives to its workload beside its settings.
pub(super) struct Parts<W> {
    pub(super) name: String,
    pub(super) about: &'static str,
    pub(super) definition: Definition,
    /// The definitions of further runs.
    pub(super) also: Vec<Definition>,
    pub(super) upgrade: Option<Upgrade>,
    pub(super) accepts: Vec<OddEnding>,
    pub(super) running: Running<W>,
}

impl<W: Send + Sync + 'static> TestSettings<W> {
    #[track_caller]
    pub(super) fn new(world: impl Fn() -> W + Send + Sync + 'static) -> Self {
        Self {
            world: Arc::new(world),
            watched: Watched::default(),
            panics: Panics::Fail,
            lane: Lane::default(),
            waits_max: WAITS_MAX,
            pool: Pool::of_all_cores(),
            broken_rule: None,
            at: Location::caller(),
        }
    }

    /// A world that no schedule runs in, to create a definition with.
    pub(super) fn detached_world(&self) -> Arc<W> {
        Arc::new((self.world)())
    }

    /// Adds an invariant of the end that depends on the outcome alone.
    pub(super) fn holds_after<E: Display>(
        &mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) {
        self.holds_at_the_end(name, move |world, ending| holds(world, ending.outcome()));
    }

    /// Adds an invariant of the end that depends on what went wrong.
    pub(super) fn holds_at_the_end<E: Display>(
        &mut self,
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) {
        let invariant = Invariant::at_the_end(name, holds);
        self.watched.invariants.push(invariant);
    }

    /// Adds an invariant of every instant.
    pub(super) fn holds_always<E: Display>(
        &mut self,
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) {
        let invariant = Invariant::always(name, holds);
        self.watched.invariants.push(invariant);
    }

    /// Continues crashes that leave equal states only once.
    pub(super) fn merges<H: Hash>(
        &mut self,
        fingerprint: impl Fn(&W) -> H + Send + Sync + 'static,
        copy: impl Fn(&W) -> W + Send + Sync + 'static,
    ) {
        let merging = Merging::new(fingerprint, copy);
        self.watched.merging = Some(Arc::new(merging));
    }

    /// The workload of a test, whose subject has a world of its own in each schedule.
    pub(super) fn workload(&self, parts: Parts<W>) -> Workload {
        let acts_on = match self.watched.merging {
            // The tasks may reach anything that the closures capture.
            None => ActsOn::Own,
            Some(_) => ActsOn::Copied,
        };
        let template = Arc::new(SubjectTemplate {
            running: parts.running,
            watched: self.watched.clone(),
        });
        let world = Arc::clone(&self.world);
        let subject = move || WorldSubject::new(Arc::new(world()), &template);
        Workload {
            name: parts.name,
            about: parts.about,
            subject: Box::new(move || Arc::new(subject())),
            definition: parts.definition,
            also: parts.also,
            upgrade: parts.upgrade,
            sharing: Sharing::Shared,
            retry_stuck: false,
            echoes: false,
            length: Length::Long,
            acts_on,
            own_store: None,
            lane: self.lane,
            panics: self.panics,
            waits_max: self.waits_max,
            deadline: None,
            left_out: Arc::default(),
            accepts: parts.accepts,
            calm: CalmEnding::default(),
        }
    }
}
