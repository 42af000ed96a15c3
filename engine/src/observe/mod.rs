//! Observation of lives: the trait and its events, the adapters to `tracing` and `metrics`, and the spans.

#[cfg(feature = "metrics")]
mod metrics;
pub(crate) mod spans;
#[cfg(feature = "tracing")]
mod tracing;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
#[cfg(feature = "tracing")]
pub use self::tracing::TracingObserver;

use std::time::Duration;

use crate::core::CheckpointRow;
use crate::core::{Direction, Failure, Nonce, RunState, Verdict};
use crate::error::StoreError;

/// Receives an [`Observation`] for everything that a life does.
///
/// The engine calls it on the life's own task, so it must not block. If it panics, the run goes on as
/// if it had returned, and the observer gets the next observation as well: the panic hook alone reports
/// the panic.
///
/// ```
/// use crashpoint::{LifeId, Observation, Observer};
///
/// struct CountAppends(std::sync::atomic::AtomicU64);
///
/// impl Observer for CountAppends {
///     fn on(&self, _life: LifeId<'_>, observation: &Observation<'_>) {
///         if let Observation::Acknowledged { .. } = observation {
///             self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// Receives one observation of `life`.
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>);
}

/// The life that an observation is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LifeId<'a> {
    /// The id of the run.
    pub workflow_id: &'a str,
    /// The name of the workflow.
    pub workflow: &'a str,
    /// The nonce of the life, which its claim has. No other life of any run has it.
    pub nonce: Nonce,
}

/// Something that a life did.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// The log was loaded, at the start or to read an append back.
    Loaded {
        /// The number of rows.
        rows: usize,
    },
    /// Loading the log failed.
    LoadFailed {
        /// The error of the store.
        error: &'a StoreError,
    },
    /// A row is about to be sent.
    Sending {
        /// The row.
        row: &'a CheckpointRow,
    },
    /// An append returned an error; the row may be durable.
    AppendFailed {
        /// The row.
        row: &'a CheckpointRow,
        /// The error of the store.
        error: &'a StoreError,
    },
    /// An append succeeded. The state of the run has not changed yet.
    Acknowledged {
        /// The row.
        row: &'a CheckpointRow,
    },
    /// A durable row was applied.
    Applied {
        /// The sequence of the row.
        sequence: u64,
        /// The state after it.
        state: &'a RunState,
    },
    /// An attempt of a task, a step or an undo begins.
    Started {
        /// The task.
        task: &'a str,
        /// Do or undo.
        direction: Direction,
        /// The sequence of the row that entered the task's visit.
        visit: u64,
        /// The number of cursors that the visit has.
        cursors: u64,
        /// The number of the round of the visit, from 1; 0 unless the task polls.
        round: u64,
        /// Which attempt of this life it is, from 1.
        attempt: u32,
    },
    /// The attempt succeeded.
    Succeeded {
        /// The task.
        task: &'a str,
        /// Do or undo.
        direction: Direction,
    },
    /// The attempt failed.
    Failed {
        /// The task.
        task: &'a str,
        /// Do or undo.
        direction: Direction,
        /// The failure.
        failure: &'a Failure,
    },
    /// The attempt was dropped because the run was cancelled.
    Cancelled {
        /// The task.
        task: &'a str,
    },
    /// A timer begins to wait. A wait may end before the deadline; then another follows.
    Waiting {
        /// The timer.
        task: &'a str,
        /// The sequence of the row that entered the timer's visit.
        visit: u64,
        /// The deadline in the timer's row: wall clock, in milliseconds since 1970-01-01 UTC.
        deadline_unix_ms: u64,
        /// The length of this wait.
        duration: Duration,
    },
    /// A polling task is not ready. Another round follows after a pause.
    Pending {
        /// The polling task.
        task: &'a str,
        /// The sequence of the row that entered its visit.
        visit: u64,
        /// The number of rounds that are over, as far as this life knows.
        rounds: u64,
        /// The length of the pause.
        duration: Duration,
    },
    /// The log of the ended run was cleared.
    Cleared,
    /// Clearing the log of the ended run failed. The outcome stands.
    ClearFailed {
        /// The error of the store.
        error: &'a StoreError,
    },
    /// The life is over.
    Over {
        /// The durable ending of the run, or why there is none yet.
        verdict: &'a Verdict,
    },
}
