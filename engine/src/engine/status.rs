//! The status of a run, from its log alone.

use std::future::Future;
use std::sync::Arc;

use crate::core::CheckpointRow;
use crate::core::{Phase, RunState, rebuild_run};
use crate::engine::Engine;
use crate::engine::apart::apart;
use crate::error::Error;

/// The status of a run, from its log alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The name of the run's workflow.
    pub workflow: String,
    /// The version in its newest claim.
    pub version: u32,
    /// The number of rows in its log.
    pub rows: u64,
    /// The number of lives that have claimed it, at least 1.
    pub lives: u64,
    /// Wall clock at its first claim, in milliseconds since 1970-01-01 UTC.
    pub started_unix_ms: u64,
    /// Its phase.
    pub phase: StatusPhase,
}

/// The phase of a run; states and tasks are labels of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusPhase {
    /// A state's visit is open.
    Running {
        /// The state.
        state: String,
    },
    /// A timer is set and has not ended. If its deadline has passed, nobody has resumed the run yet.
    Waiting {
        /// The state of the timer.
        state: String,
        /// The deadline: wall clock, in milliseconds since 1970-01-01 UTC.
        deadline_unix_ms: u64,
    },
    /// The run is rolling back.
    RollingBack {
        /// The number of compensations that are still due.
        pending: usize,
    },
    /// Some compensations failed for good. Nothing more happens until
    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck).
    Stuck {
        /// The tasks whose compensation failed.
        tasks: Vec<String>,
    },
    /// The run entered an exit.
    Done {
        /// The exit state.
        state: String,
    },
    /// Every compensation succeeded.
    RolledBack,
}

impl StatusPhase {
    /// Whether the log ends with a terminal row.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::RolledBack)
    }
}

impl Status {
    /// The status of the run with the whole log `rows`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an empty log, and [`Error::CorruptLog`].
    pub fn of_log(workflow_id: &str, rows: &[CheckpointRow]) -> Result<Self, Error> {
        let state = rebuilt(workflow_id, rows)?;
        Self::of(&state).ok_or_else(|| Error::NotFound {
            workflow_id: workflow_id.to_owned(),
        })
    }

    /// None for an empty log.
    pub(super) fn of(state: &RunState) -> Option<Self> {
        let header = state.header()?;
        let phase = match state.phase() {
            Phase::Unclaimed => return None,
            Phase::Forward(visit) => {
                let state = visit.state.to_string();
                match visit.deadline_unix_ms {
                    None => StatusPhase::Running { state },
                    Some(deadline_unix_ms) => StatusPhase::Waiting {
                        state,
                        deadline_unix_ms,
                    },
                }
            }
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
        assert!(
            (1..=state.next_sequence()).contains(&header.lives),
            "each life of a claimed run has a row"
        );
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

impl Engine {
    /// Reads the status of the run, without a claim.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::CorruptLog`], the store's error, or [`Error::Panicked`] where the store
    /// panics.
    pub fn status(
        &self,
        workflow_id: &str,
    ) -> impl Future<Output = Result<Status, Error>> + Send + 'static + use<> {
        let store = Arc::clone(&self.environment.store);
        let workflow_id = workflow_id.to_owned();
        async move {
            let status = async {
                let rows = store.load_run(&workflow_id).await?;
                Status::of_log(&workflow_id, &rows)
            };
            apart(&workflow_id, status).await
        }
    }
}

/// Folds a log.
pub(super) fn rebuilt(workflow_id: &str, rows: &[CheckpointRow]) -> Result<RunState, Error> {
    rebuild_run(workflow_id, rows).map_err(|corrupt| Error::CorruptLog {
        workflow_id: workflow_id.to_owned(),
        sequence: corrupt.sequence,
        source: corrupt.fault,
    })
}
