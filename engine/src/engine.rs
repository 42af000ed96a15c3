//! The environment of runs, and what can be asked of it.

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use crate::cancel::CancelToken;
use crate::core::{
    AppendRetry, Ended, Faithful, Opening, Phase, Retention, Rules, RunState, rebuild,
};
use crate::driver::{Environment, live};
use crate::error::Error;
use crate::observe::{Observer, Silent};
use crate::outcome::Outcome;
use crate::recovery::{CheckpointRow, CheckpointStore};
use crate::runtime::{Runtime, TokioRuntime};
use crate::scope::Intent;
use crate::workflow::{Flow, State, Workflow};

/// How many ids a purge asks the store for at a time.
const PURGE_PAGE: usize = 256;

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

    /// Reads how the run stands, without claiming it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::CorruptLog`], or what the store answered.
    pub fn status(
        &self,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Status, Error>> + Send + 'static + use<> {
        let store = Arc::clone(&self.environment.store);
        let workflow_id = workflow_id.to_owned();
        async move {
            let rows = store.load_run(&workflow_id).await?;
            let state = rebuilt(&workflow_id, &rows)?;
            Status::of(&state).ok_or(Error::NotFound { workflow_id })
        }
    }

    /// Clears the logs of runs that are done or rolled back and whose last life claimed them before
    /// `claimed_before_unix_ms` (milliseconds since 1970-01-01 UTC). Stuck and open runs are kept,
    /// and so are corrupt logs, which the report names.
    ///
    /// The age is that of the last claim because that is what safety hangs on: a cleared log fences
    /// nobody, so choose a time before which **no life of those ids can still exist**, a paused
    /// process or a delayed append included.
    ///
    /// # Errors
    ///
    /// [`Error::NoListing`], or what the store answered; what was cleared by then stays cleared.
    pub async fn purge(&self, claimed_before_unix_ms: u64) -> Result<PurgeReport, Error> {
        let store = &self.environment.store;
        let listing = store.as_listing().ok_or(Error::NoListing)?;
        let mut report = PurgeReport::default();
        let mut after: Option<String> = None;
        loop {
            let page = listing.run_ids(after.as_deref(), PURGE_PAGE).await?;
            for workflow_id in &page {
                self.purge_one(workflow_id, claimed_before_unix_ms, &mut report)
                    .await?;
            }
            if page.len() < PURGE_PAGE {
                return Ok(report);
            }
            after = page.into_iter().next_back();
        }
    }

    async fn purge_one(
        &self,
        workflow_id: &str,
        claimed_before_unix_ms: u64,
        report: &mut PurgeReport,
    ) -> Result<(), Error> {
        // A life of this process keeps its log, whatever the operator says of the time.
        let Ok(_guard) = self.environment.enter_with(workflow_id, Intent::Clear) else {
            report.kept += 1;
            return Ok(());
        };
        let rows = self.environment.store.load_run(workflow_id).await?;
        let Ok(state) = rebuild(&rows) else {
            report.corrupt.push(workflow_id.to_owned());
            return Ok(());
        };
        let old = |header: &crate::core::RunHeader| header.claim.unix_ms < claimed_before_unix_ms;
        if state.is_terminal() && state.header().is_some_and(old) {
            self.environment.store.clear(workflow_id).await?;
            report.purged += 1;
        } else {
            report.kept += 1;
        }
        Ok(())
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
        let flow: Arc<Flow> = Arc::clone(workflow.flow());
        let ended: Ended = live(
            self.environment.clone(),
            flow,
            workflow_id.into(),
            opening,
            rules,
        )
        .await?;
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
    let index = crate::workflow::index_of(start);
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

fn rebuilt(workflow_id: &str, rows: &[CheckpointRow]) -> Result<RunState, Error> {
    rebuild(rows).map_err(|corrupt| Error::CorruptLog {
        workflow_id: workflow_id.to_owned(),
        sequence: corrupt.sequence,
        source: corrupt.fault,
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

/// How a run stands, by its log alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The name of the run's workflow.
    pub workflow: String,
    /// The version under which it was claimed last.
    pub version: u32,
    /// How many rows its log has.
    pub rows: u64,
    /// How many lives have claimed it.
    pub lives: u64,
    /// Wall clock at its first claim, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// Where it stands.
    pub phase: StatusPhase,
}

/// Where a run stands; states and tasks by the labels of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusPhase {
    /// A state's visit is open.
    Running {
        /// The state.
        state: String,
    },
    /// The run has turned around and is undoing what it had done.
    RollingBack {
        /// How many undos are still due.
        pending: usize,
    },
    /// Undos failed for good; nothing more happens until
    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck).
    Stuck {
        /// The tasks that could not be undone.
        tasks: Vec<String>,
    },
    /// The run entered an exit.
    Done {
        /// The exit state.
        state: String,
    },
    /// Everything that was done is undone.
    RolledBack,
}

impl Status {
    /// None for an empty log.
    fn of(state: &RunState) -> Option<Self> {
        let header = state.header()?;
        let phase = match state.phase() {
            Phase::Unclaimed => return None,
            Phase::Forward(visit) => StatusPhase::Running {
                state: visit.state.to_string(),
            },
            Phase::RollingBack(rollback) if rollback.is_stuck() => {
                let tasks = rollback
                    .failed
                    .iter()
                    .map(|failed| failed.undo.task.to_string());
                StatusPhase::Stuck {
                    tasks: tasks.collect(),
                }
            }
            Phase::RollingBack(rollback) => StatusPhase::RollingBack {
                pending: rollback.pending.len(),
            },
            Phase::Done { state } => StatusPhase::Done {
                state: state.to_string(),
            },
            Phase::RolledBack { .. } => StatusPhase::RolledBack,
        };
        Some(Self {
            workflow: header.claim.definition.to_string(),
            version: header.claim.version,
            rows: state.next_sequence(),
            lives: header.lives,
            started_unix_ms: header.started_unix_ms,
            phase,
        })
    }
}

/// What a purge did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// How many logs were cleared.
    pub purged: u64,
    /// How many were kept: open, stuck, too young, or with a life in this process.
    pub kept: u64,
    /// The ids of logs that are corrupt; they are kept.
    pub corrupt: Vec<String>,
}

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
