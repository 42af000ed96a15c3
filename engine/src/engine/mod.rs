//! The engine: its settings, and the calls that run workflows.

mod apart;
mod listing;
mod outcome;
mod purge;
mod ruled;
mod start_up;
mod status;

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::ser::Error as _;

use crate::cancel::CancelToken;
use crate::core::{AppendRetry, Ended, Faithful, Opening, Retention, Rules};
use crate::driver::{Admission, Environment, live};
use crate::engine::apart::apart;
use crate::error::Error;
use crate::foreign::{contained, panicked};
use crate::observe::Observer;
use crate::observe::spans::in_run;
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

/// How often [`Engine::run_or_resume`] begins again if the log of the id appears and disappears.
const RUN_OR_RESUME_MAX: u32 = 8;

/// Runs workflows over a store. Cheap to clone; clones share the store and all settings.
///
/// The futures of its methods do nothing until they are polled. Dropping such a future is a crash of
/// that life: it is safe, and the run can be resumed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use crashpoint::{Ctx, Engine, MemoryCheckpointStore, Outcome, State, TaskError, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail { Send, Sent }
///
/// async fn send(_ctx: Ctx) -> Result<Mail, TaskError> {
///     Ok(Mail::Sent)
/// }
///
/// let workflow = Workflow::builder("mail", 1)
///     .task(Mail::Send, "send", send)
///     .exit(Mail::Sent)
///     .build()?;
/// let engine = Engine::new(MemoryCheckpointStore::new());
/// let outcome = engine.run(&workflow, "mail-1", Mail::Send, "ada@example.com").await?;
/// assert_eq!(outcome, Outcome::Done(Mail::Sent));
/// // A resume of an ended run returns the same outcome.
/// assert_eq!(engine.resume_from(&workflow, "mail-1").await?, outcome);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine {
    environment: Environment,
}

impl Engine {
    /// An engine over `store`, on tokio, without observers. It keeps the logs of ended runs. Share a
    /// store between engines as an `Arc`.
    pub fn new(store: impl CheckpointStore) -> Self {
        Self {
            environment: Environment {
                store: Arc::new(store),
                lives: ScopeId::new(),
                runtime: Arc::new(TokioRuntime::new()),
                observers: Arc::new([]),
                retention: Retention::Keep,
                append_retry: AppendRetry::default(),
                cancel: CancelToken::new(),
            },
        }
    }

    /// Sets the runtime: time, blocking work and entropy.
    #[must_use]
    pub fn with_runtime(mut self, runtime: impl Runtime) -> Self {
        self.environment.runtime = Arc::new(runtime);
        self
    }

    /// Adds an observer of every life. Each observer gets every observation, in the order in which the
    /// observers were added, and whatever another observer does.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Observer) -> Self {
        let earlier = self.environment.observers.iter().map(Arc::clone);
        let added: Arc<dyn Observer> = Arc::new(observer);
        self.environment.observers = earlier.chain([added]).collect();
        self
    }

    /// Sets the token that cancels the runs of this engine.
    #[must_use]
    pub fn with_cancel(mut self, token: CancelToken) -> Self {
        self.environment.cancel = token;
        self
    }

    /// Sets how an append of unknown outcome is sent again. `sends_max` is raised to at least 1.
    #[must_use]
    pub fn with_append_retry(mut self, retry: AppendRetry) -> Self {
        self.environment.append_retry = AppendRetry {
            sends_max: retry.sends_max.max(1),
            ..retry
        };
        self
    }

    /// Sets whether the log of an ended run is kept or cleared.
    ///
    /// # Errors
    ///
    /// [`Error::NotExclusive`] for [`Retention::ClearWhenDone`] if the store has no
    /// [`exclusive_scope`](CheckpointStore::exclusive_scope), or returns a new scope each time.
    pub fn with_retention(mut self, retention: Retention) -> Result<Self, Error> {
        let store = &self.environment.store;
        let scope = store.exclusive_scope();
        // A scope that is new each time would keep no life out.
        let exclusive = scope.is_some() && scope == store.exclusive_scope();
        if retention == Retention::ClearWhenDone && !exclusive {
            return Err(Error::NotExclusive);
        }
        self.environment.retention = retention;
        Ok(self)
    }

    /// Begins the run `workflow_id` in the state `start`. The first row makes the input durable, as
    /// JSON; every task can read it with [`Ctx::input`](crate::Ctx::input).
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] if the id has a log; [`Error::InvalidStart`], [`Error::Input`] and
    /// [`Error::Panicked`] before anything is written; otherwise as [`resume_from`](Self::resume_from).
    pub fn run<S: State, I: Serialize + ?Sized>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
        start: S,
        input: &I,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S, I> {
        self.run_under(Faithful, workflow, workflow_id, start, input)
    }

    /// Resumes the run `workflow_id` where its log ends. For an ended run it returns the outcome and
    /// writes nothing.
    ///
    /// # Errors
    ///
    /// The run has not ended: [`Error::NotFound`], [`Error::Fenced`], [`Error::Suspended`],
    /// [`Error::Mismatch`], [`Error::CorruptLog`], [`Error::AlreadyRunning`], and [`Error::Panicked`]
    /// where the store or the runtime panics.
    pub fn resume_from<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Outcome<S>, Error>> + Send + 'static + use<S> {
        self.reopen_under(Faithful, workflow, workflow_id, Opening::Resume)
    }

    /// Begins the run, or resumes it if the id has a log. `start` and `input` then have no effect.
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
        let opening = checked_opening(workflow, workflow_id, start, input);
        let engine = self.clone();
        let (workflow, workflow_id) = (workflow.clone(), workflow_id.to_owned());
        async move {
            let opening = opening?;
            let name = &*workflow.flow().definition.name;
            let tried = engine.begin_or_resume(&workflow, &workflow_id, opening);
            in_run(&workflow_id, name, tried).await
        }
    }

    /// Begins the run or resumes it, whichever the log allows.
    async fn begin_or_resume<S: State>(
        &self,
        workflow: &Workflow<S>,
        workflow_id: &str,
        opening: Opening,
    ) -> Result<Outcome<S>, Error> {
        let mut tries = 1;
        loop {
            debug_assert!(
                tries <= RUN_OR_RESUME_MAX,
                "the last try returns its answer"
            );
            let begun = self.open(Faithful, workflow, workflow_id, opening.clone());
            match begun.await {
                Err(Error::AlreadyExists { .. }) => {}
                other => return other,
            }
            let resumed = self.open(Faithful, workflow, workflow_id, Opening::Resume);
            match resumed.await {
                Err(Error::NotFound { .. }) if tries < RUN_OR_RESUME_MAX => tries += 1,
                other => return other,
            }
        }
    }

    /// Claims a stuck run and tries its failed compensations again, and nothing else. The outcome is
    /// [`Outcome::RolledBack`] or [`Outcome::Stuck`], never [`Outcome::Done`].
    ///
    /// # Errors
    ///
    /// [`Error::NotStuck`] if the run is not stuck; otherwise as [`resume_from`](Self::resume_from).
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
        let opening = checked_opening(workflow, workflow_id, start, input);
        let (engine, workflow) = (self.clone(), workflow.clone());
        let workflow_id = workflow_id.to_owned();
        async move {
            let name = &*workflow.flow().definition.name;
            let opened = async { engine.open(rules, &workflow, &workflow_id, opening?).await };
            in_run(&workflow_id, name, opened).await
        }
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
        async move {
            let name = &*workflow.flow().definition.name;
            let opened = engine.open(rules, &workflow, &workflow_id, opening);
            in_run(&workflow_id, name, opened).await
        }
    }

    async fn open<S: State, R: Rules>(
        &self,
        rules: R,
        workflow: &Workflow<S>,
        workflow_id: &str,
        opening: Opening,
    ) -> Result<Outcome<S>, Error> {
        let flow = workflow.flow();
        let life = async {
            let environment = self.environment.clone();
            let admission = Admission {
                guard: environment.enter(workflow_id)?,
                permit: None,
            };
            live(environment, admission, Arc::clone(flow), opening, rules).await
        };
        let ended: Ended = apart(workflow_id, life).await?;
        Ok(Outcome::from_ended(ended, &flow.definition))
    }
}

/// As [`first_opening`]; a panic of the user's [`State`] is an error.
fn checked_opening<S: State, I: Serialize + ?Sized>(
    workflow: &Workflow<S>,
    workflow_id: &str,
    start: S,
    input: &I,
) -> Result<Opening, Error> {
    let opening = contained(|| first_opening(workflow, workflow_id, start, input));
    opening.unwrap_or_else(|message| {
        let workflow_id = workflow_id.to_owned();
        Err(Error::Panicked {
            workflow_id,
            message,
        })
    })
}

/// Checks the start and the input of a new run, before anything is written.
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
    let input = contained(|| serde_json::to_vec(input));
    let input = input.unwrap_or_else(|words| Err(serde_json::Error::custom(panicked(&words))));
    let input = input.map_err(|source| Error::Input {
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
