//! The adapter to `metrics`: counters and histograms, without a clock or a label that grows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::{LifeId, Observation, Observer};
use crate::core::{Direction, Ended, Halt, Nonce, Verdict};
use crate::error::{StoreError, StoreErrorKind};

const LIVES: &str = "crashpoint_lives_total";
const ROWS_LOADED: &str = "crashpoint_rows_loaded_total";
const APPENDS: &str = "crashpoint_appends_total";
const APPEND_SECONDS: &str = "crashpoint_append_seconds";
const STORE_ERRORS: &str = "crashpoint_store_errors_total";
const ATTEMPTS: &str = "crashpoint_attempts_total";
const ATTEMPT_SECONDS: &str = "crashpoint_attempt_seconds";
const CLEARS: &str = "crashpoint_clears_total";

/// Counts and times what lives do, through the `metrics` facade: any exporter of that crate shows it.
///
/// | name | type | labels besides `workflow` | counts |
/// |---|---|---|---|
/// | `crashpoint_lives_total` | counter | `ending` | lives that are over, by the ending of their run, or by the reason why it has none |
/// | `crashpoint_rows_loaded_total` | counter | | rows that loads returned |
/// | `crashpoint_appends_total` | counter | `kind` | acknowledged appends, by the kind of their row |
/// | `crashpoint_append_seconds` | histogram | | time of an acknowledged append |
/// | `crashpoint_store_errors_total` | counter | `operation`, `error` | failed appends, loads and clears |
/// | `crashpoint_attempts_total` | counter | `task`, `direction`, `result` | attempts of tasks and undos that were answered |
/// | `crashpoint_attempt_seconds` | histogram | `task`, `direction` | their time |
/// | `crashpoint_clears_total` | counter | | cleared logs of ended runs |
///
/// The values of all labels are names of your definitions, or words that the engine knows. No id of a run is
/// among them, so a service with fixed workflows has a fixed number of series. A life that is dropped is not
/// counted, nor is the attempt or the append that it was about.
///
/// ```
/// use crashpoint::{Engine, MemoryCheckpointStore, MetricsObserver};
///
/// // Any recorder of the crate `metrics` that was installed before gets the descriptions, too.
/// let engine = Engine::new(MemoryCheckpointStore::new()).with_observer(MetricsObserver::new());
/// ```
#[derive(Debug, Default)]
pub struct MetricsObserver {
    /// By the id of the run. A dropped life leaves its entry to the next life of its run.
    under_way: Mutex<BTreeMap<String, UnderWay>>,
}

/// What a life is about, and since when. It does one thing at a time.
#[derive(Debug)]
struct UnderWay {
    life: Nonce,
    since: Instant,
}

impl MetricsObserver {
    /// An observer that describes its metrics to the recorder that is installed now, if there is one.
    pub fn new() -> Self {
        let counters = [
            (LIVES, "Lives that are over"),
            (ROWS_LOADED, "Rows that loads returned"),
            (APPENDS, "Acknowledged appends"),
            (STORE_ERRORS, "Failed appends, loads and clears"),
            (ATTEMPTS, "Answered attempts of tasks and undos"),
            (CLEARS, "Cleared logs of ended runs"),
        ];
        for (name, text) in counters {
            describe_counter!(name, Unit::Count, text);
        }
        let histograms = [
            (APPEND_SECONDS, "Time of an acknowledged append"),
            (ATTEMPT_SECONDS, "Time of an answered attempt"),
        ];
        for (name, text) in histograms {
            describe_histogram!(name, Unit::Seconds, text);
        }
        Self::default()
    }

    fn begin(&self, life: LifeId<'_>) {
        let now = UnderWay {
            life: life.nonce,
            since: now(),
        };
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.insert(life.workflow_id.to_owned(), now);
    }

    /// The seconds since this life began what it is about; `None` if another life of the run came between.
    fn end(&self, life: LifeId<'_>) -> Option<f64> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = under_way.get(life.workflow_id)?;
        if known.life != life.nonce {
            return None;
        }
        let took = now().duration_since(known.since);
        under_way.remove(life.workflow_id);
        Some(took.as_secs_f64())
    }

    fn attempted(&self, life: LifeId<'_>, task: &str, direction: Direction, result: &'static str) {
        let (workflow, task) = (life.workflow.to_owned(), task.to_owned());
        let direction = match direction {
            Direction::Do => "do",
            Direction::Undo => "undo",
        };
        if let Some(seconds) = self.end(life) {
            histogram!(ATTEMPT_SECONDS, "workflow" => workflow.clone(), "task" => task.clone(), "direction" => direction)
                .record(seconds);
        }
        counter!(ATTEMPTS, "workflow" => workflow, "task" => task, "direction" => direction, "result" => result)
            .increment(1);
    }
}

impl Observer for MetricsObserver {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        let workflow = || life.workflow.to_owned();
        match observation {
            Observation::Loaded { rows } => {
                counter!(ROWS_LOADED, "workflow" => workflow()).increment(*rows as u64);
            }
            Observation::LoadFailed { error } => store_failed(life, "load", error),
            Observation::Sending { .. } | Observation::Started { .. } => self.begin(life),
            Observation::AppendFailed { error, .. } => {
                _ = self.end(life);
                store_failed(life, "append", error);
            }
            Observation::Acknowledged { row } => {
                if let Some(seconds) = self.end(life) {
                    histogram!(APPEND_SECONDS, "workflow" => workflow()).record(seconds);
                }
                let kind = row.kind.to_string();
                counter!(APPENDS, "workflow" => workflow(), "kind" => kind).increment(1);
            }
            Observation::Applied { .. }
            | Observation::Waiting { .. }
            | Observation::Pending { .. } => {}
            Observation::Succeeded { task, direction } => {
                self.attempted(life, task, *direction, "succeeded");
            }
            Observation::Failed {
                task, direction, ..
            } => self.attempted(life, task, *direction, "failed"),
            // Only a forward action is cancelled.
            Observation::Cancelled { task } => {
                self.attempted(life, task, Direction::Do, "cancelled");
            }
            Observation::Cleared => counter!(CLEARS, "workflow" => workflow()).increment(1),
            Observation::ClearFailed { error } => store_failed(life, "clear", error),
            Observation::Over { verdict } => {
                let ending = ending(verdict);
                counter!(LIVES, "workflow" => workflow(), "ending" => ending).increment(1);
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "latencies for operators are real time; no life and no simulation reads them"
)]
fn now() -> Instant {
    Instant::now()
}

fn store_failed(life: LifeId<'_>, operation: &'static str, error: &StoreError) {
    let kind = match error.kind() {
        StoreErrorKind::Conflict => "conflict",
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::UnknownOutcome => "unknown_outcome",
        StoreErrorKind::OtherProcess => "other_process",
        StoreErrorKind::Damaged => "damaged",
        StoreErrorKind::Other => "other",
    };
    let workflow = life.workflow.to_owned();
    counter!(STORE_ERRORS, "workflow" => workflow, "operation" => operation, "error" => kind)
        .increment(1);
}

fn ending(verdict: &Verdict) -> &'static str {
    match verdict {
        Ok(Ended::Done { .. }) => "done",
        Ok(Ended::RolledBack { .. }) => "rolled_back",
        Ok(Ended::Stuck { .. }) => "stuck",
        Err(Halt::AlreadyExists) => "already_exists",
        Err(Halt::NotFound) => "not_found",
        Err(Halt::NotStuck) => "not_stuck",
        Err(Halt::Fenced) => "fenced",
        Err(Halt::Suspended { .. }) => "suspended",
        Err(Halt::Mismatch(_)) => "mismatch",
        Err(Halt::Corrupt(_)) => "corrupt",
    }
}
