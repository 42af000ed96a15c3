//! A user's workflow in a world of the test's own, as a subject.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crashpoint_engine::protocol::Faithful;
use crashpoint_engine::{Retention, State};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::crash_test::Factory;
use crate::engine_subject::EngineSubject;
use crate::panics::{message_of, quietly};
use crate::sim::Process;
use crate::subject::{LifeEnd, Subject};

/// What must hold of a world in the end.
pub(super) struct Invariant<W> {
    name: Arc<str>,
    holds: Arc<Holds<W>>,
}

/// Says in words how it does not hold.
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
    pub(super) fn new<E: Display>(
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

    /// How it does not hold, if it does not.
    fn broken(&self, world: &W, outcome: &LifeEnd) -> Option<String> {
        let asked = AssertUnwindSafe(|| (self.holds)(world, outcome));
        let answer = quietly(|| catch_unwind(asked));
        let message = match answer {
            Ok(Ok(())) => return None,
            Ok(Err(message)) => message,
            Err(panic) => message_of(&*panic),
        };
        Some(format!("{}: {message}", self.name))
    }
}

/// A workflow, and the world that its tasks act on.
pub(super) struct WorldSubject<S, W> {
    engine: EngineSubject<S, Faithful>,
    world: Arc<W>,
    invariants: Arc<[Invariant<W>]>,
}

impl<S: State, W: Send + Sync + 'static> WorldSubject<S, W> {
    pub(super) fn new(
        world: Arc<W>,
        workflow: &Factory<S, W>,
        start: S,
        input: &Value,
        invariants: &Arc<[Invariant<W>]>,
    ) -> Self {
        let (own, workflow) = (Arc::clone(&world), Arc::clone(workflow));
        let engine = EngineSubject {
            workflow: Arc::new(move |process| workflow(process, &own)),
            start,
            input: input.clone(),
            retention: Retention::Keep,
            rules: Faithful,
        };
        Self {
            engine,
            world,
            invariants: Arc::clone(invariants),
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

    fn broken_invariants(&self, outcome: &LifeEnd) -> Vec<String> {
        let invariants = self.invariants.iter();
        let broken = invariants.filter_map(|invariant| invariant.broken(&self.world, outcome));
        broken.collect()
    }
}
