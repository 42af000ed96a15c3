//! Recovery at start-up: resumes the runs of an earlier process.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::core::{Ended, Faithful, Label, Opening};
use crate::driver::{Admission, Permit, Permits, live};
use crate::engine::Engine;
use crate::engine::apart::apart;
use crate::engine::outcome::Outcome;
use crate::engine::status::rebuilt;
use crate::error::Error;
use crate::observe::spans::in_run;
use crate::state::State;
use crate::workflow::{Flow, Workflow};

/// The default number of runs that are resumed at a time.
const CONCURRENCY: usize = 8;

/// Resumes every unfinished run of a store. Use it when a process starts.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use crashpoint::{Ctx, Engine, MemoryCheckpointStore, Outcome, State, Workflow};
/// # #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// # enum Step { Work, Done }
/// # let task = |_: Ctx| async { Ok(Step::Done) };
/// # let orders = Workflow::builder("order", 3).task(Step::Work, "a", task).exit(Step::Done).build()?;
/// # let imports = Workflow::builder("import", 1).task(Step::Work, "b", task).exit(Step::Done).build()?;
/// # let engine = Engine::new(MemoryCheckpointStore::new());
/// use crashpoint::Recovery;
///
/// let recovery = Recovery::new(&engine).workflow(&orders).workflow(&imports);
/// let report = recovery.concurrency(32).resume_all().await?;
/// println!("{} runs had ended before", report.ended);
/// for (workflow_id, error) in report.errors() {
///     eprintln!("{workflow_id}: {error}");
/// }
/// # assert_eq!(report.ended, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Recovery {
    engine: Engine,
    flows: BTreeMap<String, Arc<Flow>>,
    /// A name under which two workflows were given.
    twice: Option<String>,
    concurrency: usize,
}

/// The result of a recovery. It names every run that had not ended, so it may be large.
#[derive(Debug, Default)]
pub struct RecoveryReport {
    /// The number of runs that had already ended as done or rolled back. They are left alone.
    pub ended: u64,
    /// The result of every other run, by its id: an outcome (with labels as states), or the error
    /// why it has not ended. A run that was stuck before is here unchanged.
    pub runs: BTreeMap<String, Result<Outcome<String>, Error>>,
}

impl Recovery {
    /// A recovery of the runs in the engine's store, without workflows yet.
    pub fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            flows: BTreeMap::new(),
            twice: None,
            concurrency: CONCURRENCY,
        }
    }

    /// Adds a workflow whose runs are resumed. The log of a run has the name of its workflow.
    #[must_use]
    pub fn workflow<S: State>(mut self, workflow: &Workflow<S>) -> Self {
        let name = workflow.name().to_owned();
        let flow = Arc::clone(workflow.flow());
        if self.flows.insert(name.clone(), flow).is_some() {
            self.twice.get_or_insert(name);
        }
        self
    }

    /// The number of runs that are read and resumed at a time, `1..`; 8 by default. 0 counts as 1. A
    /// run that waits for the deadline of a timer, or for the next round of a poll, does not count: any number
    /// of them may wait at a time. When its wait is over, it counts again, and first waits for its turn.
    #[must_use]
    pub fn concurrency(mut self, runs_max: usize) -> Self {
        self.concurrency = runs_max.max(1);
        self
    }

    /// Resumes every unfinished run of the store. It reads each log first, without a claim. Ended runs,
    /// stuck runs and runs with a life in this process are left alone; the others are resumed as by
    /// [`Engine::resume_from`]. The failure of a run stops no other run, nor does a panic, whichever code
    /// panics.
    ///
    /// The runs live within this future. Dropping it is a crash of all active runs, and they can be
    /// resumed at once.
    ///
    /// In `runs` of the report, beside the errors of [`Engine::resume_from`]:
    /// [`Error::UnknownWorkflow`] for a run whose workflow was not added,
    /// [`Error::AlreadyRunning`] for a run with a life in this process,
    /// [`Error::CheckpointStore`] for a run whose rows the store can't read, and
    /// [`Error::Panicked`] for a run whose store or runtime panicked.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateWorkflow`] and [`Error::NoListing`] before anything is done. The store's error
    /// if the listing fails; the runs that are active by then finish first.
    pub async fn resume_all(&self) -> Result<RecoveryReport, Error> {
        if let Some(workflow) = self.twice.clone() {
            return Err(Error::DuplicateWorkflow { workflow });
        }
        let ids = self.engine.ids()?;
        let permits = Permits::new(self.concurrency);
        // Listing and lives are polled together: a store may let nobody list while an append of a
        // life that is not polled holds a lock.
        let recovered = ids
            .and_then(|workflow_id| {
                let permits = permits.clone();
                async move { Ok((permits.acquire().await, workflow_id)) }
            })
            .map_ok(async |(permit, workflow_id)| {
                let recovered = apart(&workflow_id, self.recover(permit, &workflow_id)).await;
                Ok((recovered, workflow_id))
            })
            .try_buffer_unordered(usize::MAX);
        let mut recovered = pin!(recovered);
        let mut report = RecoveryReport::default();
        let mut failure = None;
        while let Some(next) = recovered.next().await {
            match next {
                Ok((Ok(None), _)) => report.ended += 1,
                Ok((Ok(Some(outcome)), id)) => _ = report.runs.insert(id, Ok(outcome)),
                Ok((Err(error), id)) => _ = report.runs.insert(id, Err(error)),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(report), Err)
    }

    /// The outcome of the run; none if it had already ended as done or rolled back.
    async fn recover(
        &self,
        permit: Permit,
        workflow_id: &str,
    ) -> Result<Option<Outcome<String>>, Error> {
        let workflow = match self.found(workflow_id).await? {
            Found::Ended => return Ok(None),
            Found::Stuck(stuck) => return Ok(Some(Outcome::by_labels(stuck))),
            Found::Open { workflow } => workflow,
        };
        let flow = self.flows.get(&*workflow).map(Arc::clone);
        let flow = flow.ok_or_else(|| Error::UnknownWorkflow {
            workflow_id: workflow_id.to_owned(),
            workflow: workflow.to_string(),
        })?;
        let environment = self.engine.environment.clone();
        let admission = Admission {
            guard: environment.enter_alone(workflow_id)?,
            permit: Some(permit),
        };
        let life = live(environment, admission, flow, Opening::Resume, Faithful);
        match in_run(workflow_id, &workflow, life).await {
            // It has ended since it was read, and its log was cleared.
            Err(Error::NotFound { .. }) => Ok(None),
            ended => Ok(Some(Outcome::by_labels(ended?))),
        }
    }

    /// Folds the run's log, without claiming it.
    async fn found(&self, workflow_id: &str) -> Result<Found, Error> {
        let rows = self.engine.environment.store.load_run(workflow_id).await?;
        let state = rebuilt(workflow_id, &rows)?;
        Ok(match (state.ended(), state.header()) {
            (Some(ended), _) if ended.is_terminal() => Found::Ended,
            (Some(stuck), _) => Found::Stuck(stuck),
            (None, Some(header)) => Found::Open {
                workflow: header.claim.definition.clone(),
            },
            // Cleared since it was listed.
            (None, None) => Found::Ended,
        })
    }
}

/// The state of a run, by its log.
enum Found {
    Ended,
    Stuck(Ended),
    Open { workflow: Label },
}

impl RecoveryReport {
    /// The runs that have not ended, with their errors, by ascending id.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &Error)> {
        let errors = self.runs.iter();
        errors.filter_map(|(id, run)| Some((id.as_str(), run.as_ref().err()?)))
    }
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recovery")
            .field("workflows", &self.flows.keys())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
