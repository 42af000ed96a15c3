//! Workflows in a world of the test, as a subject. Everything that a test says of its world is asked here:
//! the invariants, the copy, the fingerprint, and the words that show it.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::crash_test::invariant::Invariant;
use crate::executor::{message_of, quietly};
use crate::history::{Ending, LifeEnd};
use crate::sim::{BrokenInvariant, Process, Subject};

/// What a test says of its world.
pub(super) struct Watched<W> {
    pub(super) invariants: Vec<Invariant<W>>,
    pub(super) merging: Option<Arc<Merging<W>>>,
    pub(super) show: Option<Show<W>>,
}

/// How to compare and copy worlds, so that crashes can be merged.
pub(super) struct Merging<W> {
    fingerprint: Box<Fingerprint<W>>,
    copy: Box<Copied<W>>,
}

type Fingerprint<W> = dyn Fn(&W) -> u64 + Send + Sync;
type Copied<W> = dyn Fn(&W) -> W + Send + Sync;

/// Shows a world in words.
type Show<W> = Arc<dyn Fn(&W) -> String + Send + Sync>;

/// Puts the workflows of a test into a world.
pub(super) type Running<W> = Box<dyn Fn(&Arc<W>) -> Box<dyn Subject> + Send + Sync>;

/// What a test runs, in any world.
pub(super) struct SubjectTemplate<W> {
    pub(super) running: Running<W>,
    pub(super) watched: Watched<W>,
}

/// Workflows that run in a world, and the world that their tasks act on.
pub(super) struct WorldSubject<W> {
    running: Box<dyn Subject>,
    world: Arc<W>,
    template: Arc<SubjectTemplate<W>>,
}

impl<W> Merging<W> {
    pub(super) fn new<H: Hash>(
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

impl<W> Watched<W> {
    /// From now on the world is shown by its `Debug`.
    pub(super) fn show_by_debug(&mut self)
    where
        W: Debug,
    {
        self.show = Some(Arc::new(|world| format!("{world:#?}")));
    }

    /// The world in words, if the test says how to show it or how to compare it.
    fn in_words(&self, world: &W) -> Option<String> {
        match (&self.show, &self.merging) {
            (Some(show), _) => Some(show(world)),
            (None, Some(merging)) => {
                let fingerprint = (merging.fingerprint)(world);
                Some(format!("fingerprint {fingerprint:016x}"))
            }
            (None, None) => None,
        }
    }
}

impl<W> Default for Watched<W> {
    fn default() -> Self {
        Self {
            invariants: Vec::new(),
            merging: None,
            show: None,
        }
    }
}

impl<W> Clone for Watched<W> {
    fn clone(&self) -> Self {
        Self {
            invariants: self.invariants.clone(),
            merging: self.merging.clone(),
            show: self.show.clone(),
        }
    }
}

impl<W> WorldSubject<W> {
    pub(super) fn new(world: Arc<W>, template: &Arc<SubjectTemplate<W>>) -> Self {
        Self {
            running: (template.running)(&world),
            world,
            template: Arc::clone(template),
        }
    }
}

impl<W: Send + Sync + 'static> Subject for WorldSubject<W> {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.running.start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.running.resume(process)
    }

    fn retry_stuck(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.running.retry_stuck(process)
    }

    fn broken_invariants_after(&self, ending: &Ending<'_>) -> Vec<BrokenInvariant> {
        let invariants = self.template.watched.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken(&self.world, ending));
        broken.collect()
    }

    fn survivor(&self) -> Option<Arc<dyn Subject>> {
        let merging = self.template.watched.merging.as_ref()?;
        let world = Arc::new((merging.copy)(&self.world));
        Some(Arc::new(Self::new(world, &self.template)))
    }

    fn broken_now(&self) -> Vec<BrokenInvariant> {
        let invariants = self.template.watched.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken_now(&self.world));
        broken.collect()
    }

    fn world(&self) -> Option<String> {
        let in_words = || self.template.watched.in_words(&self.world);
        let shown = quietly(|| catch_unwind(AssertUnwindSafe(in_words)));
        shown.unwrap_or_else(|panic| Some(format!("it panics: {}", message_of(&*panic))))
    }

    fn fingerprint(&self) -> u64 {
        let merging = self.template.watched.merging.as_ref();
        merging.map_or(0, |merging| (merging.fingerprint)(&self.world))
    }
}
