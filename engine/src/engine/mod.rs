//! The environment of runs, and the calls that run them.

mod listing;
mod outcome;
mod purge;
mod ruled;
mod start_up;
mod status;

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use crate::cancel::CancelToken;
use crate::core::{AppendRetry, Ended, Faithful, Opening, Retention, Rules};
use crate::driver::{Environment, live};
use crate::error::Error;
use crate::observe::{Observer, Silent};
use crate::recovery::CheckpointStore;
use crate::runtime::{Runtime, TokioRuntime};
use crate::scope::ScopeId;
use crate::state::State;
use crate::workflow::Workflow;

pub use listing::UnfinishedRun;
pub use outcome::{Leftover, Outcome, RolledBack, Stuck};
pub use purge::PurgeReport;
pub use ruled::RuledEngine;
pub use start_up::{Recovery, RecoveryReport};
pub use status::{Status, StatusPhase};

/// How often [`Engine::run_or_resume`] turns from one to the other, should the id come and go.
const RUN_OR_RESUME_MAX: u32 = 8;

/// The environment of runs: a store, a runtime, a retention, an observer. Cheap to clone.
///
/// The futures of its methods do nothing until they are polled. Dropping one is a crash of that
/// life: safe, and the run can be resumed.
#[derive(Clone)]
pub struct Engine {
    environment: Environment,
}

impl Engine {
    /// An engine over `store` (share one store as an `Arc`) that runs on tokio, keeps the logs of
    /// ended runs and is observed by nobody.
    pub fn new(store: impl CheckpointStore) -> Self {
        Self {
            environment: Environment {
                store: Arc::new(store),
                lives: ScopeId::new(),
                runtime: Arc::new(TokioRuntime::new()),
                observer: Arc::new(Silent),
                retention: Retention::Keep,
                append_retry: AppendRetry::default(),
                cancel: CancelToken::new(),
            },
        }
    }

    /// Takes time, tasks and entropy from `runtime`.
    #[must_use]
    pub fn with_runtime(mut self, runtime: impl Runtime) -> Self {
        self.environment.runtime = Arc::new(runtime);
        self
    }

    /// Tells `observer` what every life does.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        self.environment.observer = Arc::new(observer);
        self
    }

    /// Runs of this engine are cancelled by `token`.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.environment.cancel = token;
        self
    }

    /// How an append that is in doubt is sent again.
    #[must_use]
    pub fn with_append_retry(mut self, retry: AppendRetry) -> Self {
        self.environment.append_retry = AppendRetry {
            sends_max: retry.sends_max.max(1),
            ..retry
        };
        self
    }

    /// What becomes of the log of an ended run.
    ///
    /// # Errors
    ///
    /// [`Error::NotExclusive`] where logs are to be cleared in a store that does not declare an
    /// [`exclusive_scope`](CheckpointStore::exclusive_scope), or declares another one each time: a
    /// cleared log fences nobody.
    pub fn with_retention(mut self, retention: Retention) -> Result<Self, Error> {
        let store = &self.environment.store;
        let scope = store.exclusive_scope();
        // A scope that is another one each time would keep nobody out.
        let exclusive = scope.is_some() && scope == store.exclusive_scope();
        if retention == Retention::ClearWhenDone && !exclusive {
            return Err(Error::NotExclusive);
        }
        self.environment.retention = retention;
        Ok(self)
    }

    /// Begins the run `workflow_id` at `start`. The input becomes durable with the first row, as
    /// JSON; every task can read it.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] where the id has a log, [`Error::InvalidStart`] and [`Error::Input`]
    /// before anything is written, and else as [`resume_from`](Self::resume_from).
    pub fn run<S: State, I: Serialize + ?Sized>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
        start: S,
        input: &I,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, I> {
        self.run_under(Faithful, workflow, workflow_id, start, input)
    }

    /// Goes on with the run `workflow_id` where its log ends. An ended run answers at once, and
    /// nothing is written.
    ///
    /// # Errors
    ///
    /// The run has not ended: [`Error::NotFound`], [`Error::Fenced`], [`Error::Suspended`],
    /// [`Error::Mismatch`], [`Error::CorruptLog`], [`Error::AlreadyRunning`].
    pub fn resume_from<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S> {
        self.reopen_under(Faithful, workflow, workflow_id, Opening::Resume)
    }

    /// Begins the run, or goes on with it where the id has a log already; `start` and `input` then
    /// have no effect.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run) and [`resume_from`](Self::resume_from).
    pub fn run_or_resume<S: State, I: Serialize + ?Sized>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
        start: S,
        input: &I,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, I> {
        let opening = first_opening(workflow, workflow_id, start, input);
        let engine = self.clone();
        let (workflow, workflow_id) = (workflow.clone(), workflow_id.to_owned());
        async move {
            let opening = opening?;
            let mut tries = 1;
            loop {
                debug_assert!(
                    tries <= RUN_OR_RESUME_MAX,
                    "the last try returns its answer"
                );
                match engine
                    .open(Faithful, &workflow, &workflow_id, opening.clone())
                    .await
                {
                    Err(Error::AlreadyExists { .. }) => {}
                    other => return other,
                }
                match engine
                    .open(Faithful, &workflow, &workflow_id, Opening::Resume)
                    .await
                {
                    Err(Error::NotFound { .. }) if tries < RUN_OR_RESUME_MAX => tries += 1,
                    other => return other,
                }
            }
        }
    }

    /// Claims a stuck run and tries again just what could not be undone. It may come to
    /// [`Outcome::RolledBack`] or be stuck again, never to [`Outcome::Done`].
    ///
    /// # Errors
    ///
    /// [`Error::NotStuck`] where the run isn't stuck, and else as
    /// [`resume_from`](Self::resume_from).
    pub fn retry_stuck<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S> {
        self.reopen_under(Faithful, workflow, workflow_id, Opening::RetryStuck)
    }

    fn run_under<S: State, I: Serialize + ?Sized, R: Rules>(
        &self,
        rules: R,
        workflow: &Workflow<S>,
        workflow_id: &str,
        start: S,
        input: &I,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, I, R> {
        let opening = first_opening(workflow, workflow_id, start, input);
        let (engine, workflow) = (self.clone(), workflow.clone());
        let workflow_id = workflow_id.to_owned();
        async move { engine.open(rules, &workflow, &workflow_id, opening?).await }
    }

    fn reopen_under<S: State, R: Rules>(
        &self,
        rules: R,
        workflow: &Workflow<S>,
        workflow_id: &str,
        opening: Opening,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, R> {
        let (engine, workflow) = (self.clone(), workflow.clone());
        let workflow_id = workflow_id.to_owned();
        async move { engine.open(rules, &workflow, &workflow_id, opening).await }
    }

    async fn open<S: State, R: Rules>(
        &self,
        rules: R,
        workflow: &Workflow<S>,
        workflow_id: &str,
        opening: Opening,
    ) -> Result<Outcome<S>, Error> {
        let environment = self.environment.clone();
        let guard = environment.enter(workflow_id)?;
        let flow = Arc::clone(workflow.flow());
        let ended: Ended = live(environment, guard, flow, opening, rules).await?;
        Ok(Outcome::from_ended(ended))
    }
}

/// Checks what a new run is given, before anything is written.
fn first_opening<S: State, I: Serialize + ?Sized>(
    workflow: &Workflow<S>,
    workflow_id: &str,
    start: S,
    input: &I,
) -> Result<Opening, Error> {
    let definition = &workflow.flow().definition;
    let index = crate::state::index_of(start);
    let invalid = |reason| Error::InvalidStart {
        workflow_id: workflow_id.to_owned(),
        state: start.label().to_owned(),
        reason,
    };
    if definition.task(index).is_none() {
        return Err(invalid("it is an exit"));
    }
    if definition
        .starts
        .as_ref()
        .is_some_and(|starts| !starts.contains(&index))
    {
        return Err(invalid("it is not among the starts of the workflow"));
    }
    let input = serde_json::to_vec(input).map_err(|source| Error::Input {
        workflow_id: workflow_id.to_owned(),
        source,
    })?;
    Ok(Opening::Run {
        state: start.label().into(),
        input: input.into(),
    })
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("retention", &self.environment.retention)
            .field("append_retry", &self.environment.append_retry)
            .finish_non_exhaustive()
    }
}
