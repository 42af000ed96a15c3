//! A user's workflow in a world of the test, as a subject.

use std::fmt::Display;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crashpoint::protocol::Faithful;
use crashpoint::{Retention, State};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::crash_test::Factory;
use crate::executor::{message_of, quietly};
use crate::history::LifeEnd;
use crate::sim::{BrokenInvariant, Process, Subject};
use crate::workload::engine_subject::EngineSubject;

/// An invariant of a world, checked at the end.
pub(crate) struct Invariant<W> {
    name: Arc<str>,
    holds: Arc<Holds<W>>,
}

/// Returns how the invariant is broken, in words.
type Holds<W> = dyn Fn(&W, &LifeEnd) -> Result<(), String> + Send + Sync;

impl<W> Clone for Invariant<W> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            holds: Arc::clone(&self.holds),
        }
    }
}

impl<W> Invariant<W> {
    pub(crate) fn new<E: Display>(
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let in_words = move |world: &W, outcome: &LifeEnd| {
            holds(world, outcome).map_err(|error| error.to_string())
        };
        Self {
            name: name.into(),
            holds: Arc::new(in_words),
        }
    }

    /// How the invariant is broken, if it is.
    pub(crate) fn broken(&self, world: &W, outcome: &LifeEnd) -> Option<BrokenInvariant> {
        let asked = AssertUnwindSafe(|| (self.holds)(world, outcome));
        let answer = quietly(|| catch_unwind(asked));
        let message = match answer {
            Ok(Ok(())) => return None,
            Ok(Err(message)) => message,
            Err(panic) => message_of(&*panic),
        };
        let name = self.name.to_string();
        Some(BrokenInvariant { name, message })
    }
}

/// How to compare and copy worlds, so that crashes can be merged.
pub(crate) struct Merging<W> {
    pub(crate) fingerprint: Box<Fingerprint<W>>,
    pub(crate) copy: Box<Copied<W>>,
}

type Fingerprint<W> = dyn Fn(&W) -> u64 + Send + Sync;
type Copied<W> = dyn Fn(&W) -> W + Send + Sync;

impl<W> Merging<W> {
    pub(crate) fn new<H: Hash>(
        fingerprint: impl Fn(&W) -> H + Send + Sync + 'static,
        copy: impl Fn(&W) -> W + Send + Sync + 'static,
    ) -> Self {
        let hashed = move |world: &W| {
            let mut hasher = DefaultHasher::new();
            fingerprint(world).hash(&mut hasher);
            hasher.finish()
        };
        Self {
            fingerprint: Box::new(hashed),
            copy: Box::new(copy),
        }
    }
}

/// What a test runs, in any world.
pub(super) struct SubjectTemplate<S, W> {
    pub(super) workflow: Factory<S, W>,
    pub(super) start: S,
    pub(super) input: Value,
    pub(super) invariants: Arc<[Invariant<W>]>,
    pub(super) merging: Option<Arc<Merging<W>>>,
}

/// A workflow, and the world that its tasks act on.
pub(super) struct WorldSubject<S, W> {
    engine: EngineSubject<S, Faithful>,
    world: Arc<W>,
    template: Arc<SubjectTemplate<S, W>>,
}

impl<S: State, W: Send + Sync + 'static> WorldSubject<S, W> {
    pub(super) fn new(world: Arc<W>, template: &Arc<SubjectTemplate<S, W>>) -> Self {
        let (own, workflow) = (Arc::clone(&world), Arc::clone(&template.workflow));
        let engine = EngineSubject {
            workflow: Arc::new(move |process| workflow(process, &own)),
            start: template.start,
            input: template.input.clone(),
            retention: Retention::Keep,
            rules: Faithful,
        };
        Self {
            engine,
            world,
            template: Arc::clone(template),
        }
    }
}

impl<S: State, W: Send + Sync + 'static> Subject for WorldSubject<S, W> {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.engine.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.engine.resume(process)
    }

    fn broken_invariants(&self, outcome: &LifeEnd) -> Vec<BrokenInvariant> {
        let invariants = self.template.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken(&self.world, outcome));
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
