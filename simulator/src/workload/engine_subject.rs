//! The engine as a subject.

use std::sync::Arc;

use crashpoint::protocol::{RuledEngine, Rules};
use crashpoint::{AppendRetry, Error, Outcome, Retention, State, Workflow};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::history::{LifeEnd, Refusal};
use crate::sim::{Process, Subject};

/// Creates the workflow for a process. Its tasks use the process for their effects.
pub type WorkflowFactory<S> = Arc<dyn Fn(&Process) -> Workflow<S> + Send + Sync>;

/// How often the simulated engine repeats an append: enough to survive one fault.
const APPEND_RETRY: AppendRetry = AppendRetry {
    sends_max: 3,
    delay: std::time::Duration::from_millis(10),
};

/// Runs a workflow with the engine, under the given rules.
pub struct EngineSubject<S, R> {
    /// Creates the workflow.
    pub workflow: WorkflowFactory<S>,
    /// The first state of the run.
    pub start: S,
    /// The run's input.
    pub input: Value,
    /// What the engine does with the log of an ended run.
    pub retention: Retention,
    /// The rules that the engine keeps.
    pub rules: R,
}

impl<S: State, R: Rules> EngineSubject<S, R> {
    fn engine(&self, process: &Process) -> RuledEngine<R> {
        let engine = process.engine().with_append_retry(APPEND_RETRY);
        // A mutant clears where the engine would refuse to.
        RuledEngine::new(engine, self.rules.clone()).with_retention_unchecked(self.retention)
    }
}

impl<S: State, R: Rules> Subject for EngineSubject<S, R> {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let workflow = process.interposed((self.workflow)(process));
        let engine = self.engine(process);
        let run = engine.run(&workflow, process.workflow_id(), self.start, &self.input);
        run.map(life_end).boxed()
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let workflow = process.interposed((self.workflow)(process));
        let run = self
            .engine(process)
            .resume_from(&workflow, process.workflow_id());
        run.map(life_end).boxed()
    }

    fn retry_stuck(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        let workflow = process.interposed((self.workflow)(process));
        let run = self
            .engine(process)
            .retry_stuck(&workflow, process.workflow_id());
        run.map(life_end).boxed()
    }
}

fn life_end<S: State>(result: Result<Outcome<S>, Error>) -> LifeEnd {
    match result {
        Ok(Outcome::Done(state)) => LifeEnd::Done(state.label().to_owned()),
        Ok(Outcome::RolledBack(_)) => LifeEnd::RolledBack,
        Ok(Outcome::Stuck(stuck)) => LifeEnd::Stuck(
            stuck
                .leftovers
                .into_iter()
                .map(|leftover| leftover.task)
                .collect(),
        ),
        Err(Error::AlreadyExists { .. }) => LifeEnd::AlreadyExists,
        Err(Error::AlreadyRunning { .. }) => LifeEnd::AlreadyRunning,
        Err(Error::NotFound { .. }) => LifeEnd::NotFound,
        Err(Error::NotStuck { .. }) => LifeEnd::NotStuck,
        Err(Error::Fenced { .. }) => LifeEnd::Fenced,
        Err(Error::Suspended { .. }) => LifeEnd::Suspended,
        // Neither the simulated store nor the runtime panics, so it is a bug of the life: the executor
        // records it.
        Err(Error::Panicked { message, .. }) => panic!("{message}"),
        Err(Error::Mismatch { source, .. }) => LifeEnd::Refused(Refusal::Mismatch(source)),
        Err(other) => LifeEnd::Refused(Refusal::Other(other.to_string())),
    }
}

impl<S: std::fmt::Debug, R: std::fmt::Debug> std::fmt::Debug for EngineSubject<S, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineSubject")
            .field("start", &self.start)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
