//! The adapter to `tracing`: an event for each observation.

use tracing::{debug, info, warn};

use super::{LifeId, Observation, Observer};

/// Emits a `tracing` event with the target `crashpoint` for each observation.
///
/// Failures have the level `WARN`, endings `INFO`, everything else `DEBUG`. Each event has the fields
/// `workflow_id`, `workflow` and `life`, the nonce of the life, also where the spans are filtered out.
///
/// With the feature `tracing` the engine also has spans, with or without this observer:
///
/// | span | level | fields | from, to |
/// |---|---|---|---|
/// | `run` | `INFO` | `workflow_id`, `workflow` | a call such as `run` or `resume_from`, or a run of `resume_all` |
/// | `life` | `INFO` | `life` | the loading of the log, the end of the life |
/// | `visit` | `DEBUG` | `task`, `direction`, `visit` | the first attempt of a life at a task, the next task |
/// | `attempt` | `DEBUG` | `attempt`, `cursors` | the call of the task, its answer |
///
/// So what a task logs is in the span of its attempt.
#[derive(Debug, Clone, Copy, Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        let LifeId {
            workflow_id,
            workflow,
            nonce: life,
        } = life;
        match observation {
            Observation::Over { verdict: Ok(ended) } => {
                info!(target: "crashpoint", workflow_id, workflow, %life, ?ended, "run ended");
            }
            Observation::Over { verdict: Err(halt) } => {
                warn!(target: "crashpoint", workflow_id, workflow, %life, ?halt, "life ended before its run");
            }
            Observation::Loaded { rows } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, rows, "log loaded");
            }
            Observation::LoadFailed { error } => {
                warn!(target: "crashpoint", workflow_id, workflow, %life, %error, "a load failed");
            }
            // The content of rows and states belongs to the user, and is not logged.
            Observation::Sending { row } => {
                let (sequence, kind) = (row.sequence, row.kind);
                debug!(target: "crashpoint", workflow_id, workflow, %life, sequence, %kind, "appending");
            }
            Observation::Acknowledged { row } => {
                let (sequence, kind) = (row.sequence, row.kind);
                debug!(target: "crashpoint", workflow_id, workflow, %life, sequence, %kind, "appended");
            }
            Observation::AppendFailed { row, error } => {
                let sequence = row.sequence;
                warn!(target: "crashpoint", workflow_id, workflow, %life, sequence, %error, "an append failed");
            }
            Observation::Applied { sequence, .. } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, sequence, "row applied");
            }
            Observation::Started {
                task,
                direction,
                visit,
                cursors,
                round,
                attempt,
            } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, task, ?direction, visit, cursors, round, attempt, "attempt started");
            }
            Observation::Succeeded { task, direction } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, task, ?direction, "attempt succeeded");
            }
            Observation::Failed {
                task,
                direction,
                failure,
            } => {
                let failure = &*failure.text();
                warn!(target: "crashpoint", workflow_id, workflow, %life, task, ?direction, failure, "attempt failed");
            }
            Observation::Cancelled { task } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, task, "attempt cancelled");
            }
            Observation::Waiting {
                task,
                visit,
                deadline_unix_ms,
                ..
            } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, task, visit, deadline_unix_ms, "waiting");
            }
            Observation::Pending {
                task,
                visit,
                rounds,
                ..
            } => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, task, visit, rounds, "not ready");
            }
            Observation::Cleared => {
                debug!(target: "crashpoint", workflow_id, workflow, %life, "log cleared");
            }
            Observation::ClearFailed { error } => {
                warn!(target: "crashpoint", workflow_id, workflow, %life, %error, "a clear failed");
            }
        }
    }
}
