//! The same engine with lives that break a rule.

use std::future::Future;

use serde::Serialize;

use crate::core::{Opening, Retention, Rules};
use crate::engine::Engine;
use crate::engine::outcome::Outcome;
use crate::error::Error;
use crate::state::State;
use crate::workflow::Workflow;

/// An engine whose lives may break a rule, for the simulator's mutants.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct RuledEngine<R> {
    engine: Engine,
    rules: R,
}

impl<R: Rules> RuledEngine<R> {
    /// The same engine under other rules.
    pub fn new(engine: Engine, rules: R) -> Self {
        Self { engine, rules }
    }

    /// Sets the retention without asking whether the store is held exclusively.
    #[must_use]
    pub fn with_retention_unchecked(mut self, retention: Retention) -> Self {
        self.engine.environment.retention = retention;
        self
    }

    /// As [`Engine::run`].
    pub fn run<S: State, I: Serialize + ?Sized>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
        start: S,
        input: &I,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, I, R> {
        self.engine
            .run_under(self.rules.clone(), workflow, workflow_id, start, input)
    }

    /// As [`Engine::resume_from`].
    pub fn resume_from<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, R> {
        self.engine
            .reopen_under(self.rules.clone(), workflow, workflow_id, Opening::Resume)
    }

    /// As [`Engine::retry_stuck`].
    pub fn retry_stuck<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, R> {
        self.engine.reopen_under(
            self.rules.clone(),
            workflow,
            workflow_id,
            Opening::RetryStuck,
        )
    }
}
