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
use crate::history::{Ending, LifeEnd};
use crate::sim::{BrokenInvariant, Process, Subject};
use crate::workload::engine_subject::EngineSubject;

/// An invariant of a world, of the end or of every instant.
pub(crate) struct Invariant<W> {
    name: Arc<str>,
    holds: Holds<W>,
}

/// Returns how the invariant is broken, in words.
enum Holds<W> {
    AtTheEnd(Arc<HoldsAtTheEnd<W>>),
    Always(Arc<HoldsAlways<W>>),
}

type HoldsAtTheEnd<W> = dyn Fn(&W, &Ending<'_>) -> Result<(), String> + Send + Sync;
type HoldsAlways<W> = dyn Fn(&W) -> Result<(), String> + Send + Sync;

impl<W> Clone for Invariant<W> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            holds: match &self.holds {
                Holds::AtTheEnd(holds) => Holds::AtTheEnd(Arc::clone(holds)),
                Holds::Always(holds) => Holds::Always(Arc::clone(holds)),
            },
        }
    }
}

impl<W> Invariant<W> {
    pub(crate) fn at_the_end<E: Display>(
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let in_words = move |world: &W, ending: &Ending<'_>| {
            holds(world, ending).map_err(|error| error.to_string())
        };
        Self {
            name: name.into(),
            holds: Holds::AtTheEnd(Arc::new(in_words)),
        }
    }

    pub(super) fn always<E: Display>(
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let in_words = move |world: &W| holds(world).map_err(|error| error.to_string());
        Self {
            name: name.into(),
            holds: Holds::Always(Arc::new(in_words)),
        }
    }

    /// How an invariant of the end is broken, if it is.
    pub(crate) fn broken(&self, world: &W, ending: &Ending<'_>) -> Option<BrokenInvariant> {
        match &self.holds {
            Holds::AtTheEnd(holds) => self.asked(|| holds(world, ending)),
            Holds::Always(_) => None,
        }
    }

    /// How an invariant of every instant is broken, if it is.
    fn broken_now(&self, world: &W) -> Option<BrokenInvariant> {
        match &self.holds {
            Holds::AtTheEnd(_) => None,
            Holds::Always(holds) => self.asked(|| holds(world)),
        }
    }

    fn asked(&self, holds: impl FnOnce() -> Result<(), String>) -> Option<BrokenInvariant> {
        let answer = quietly(|| catch_unwind(AssertUnwindSafe(holds)));
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
    pub(super) show: Option<Show<W>>,
}

/// Shows a world in words.
pub(super) type Show<W> = Arc<dyn Fn(&W) -> String + Send + Sync>;

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

    fn broken_now(&self) -> Vec<BrokenInvariant> {
        let invariants = self.template.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken_now(&self.world));
        broken.collect()
    }

    fn world(&self) -> Option<String> {
        let template = &self.template;
        let world: &W = &self.world;
        let in_words = || match (&template.show, &template.merging) {
            (Some(show), _) => Some(show(world)),
            (None, Some(merging)) => {
                let fingerprint = (merging.fingerprint)(world);
                Some(format!("fingerprint {fingerprint:016x}"))
            }
            (None, None) => None,
        };
        let shown = quietly(|| catch_unwind(AssertUnwindSafe(in_words)));
        shown.unwrap_or_else(|panic| Some(format!("it panics: {}", message_of(&*panic))))
    }

    fn fingerprint(&self) -> u64 {
        let merging = self.template.merging.as_ref();
        merging.map_or(0, |merging| (merging.fingerprint)(&self.world))
    }
}
