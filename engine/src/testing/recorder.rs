//! An observer that keeps what each run did.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::{Direction, Phase, RunState};
use crate::observe::{LifeId, Observation, Observer};
use crate::state::State;

/// Keeps the states that each run entered and the attempts that it made, over all lives that this process has seen.
/// Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    runs: Arc<Mutex<BTreeMap<String, Recorded>>>,
}

#[derive(Debug, Default)]
struct Recorded {
    /// The states in order, each with the sequence of the row that entered it.
    path: Vec<(u64, String)>,
    attempts: Vec<Attempt>,
}

/// An attempt of a task, a step or an undo.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The name of the task.
    pub task: String,
    /// Do or undo.
    pub direction: Direction,
    /// Which attempt of its life it is, from 1.
    pub number: u32,
    /// How it ended.
    pub end: AttemptEnd,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptEnd {
    /// It is under way, or its life was dropped.
    Open,
    /// It succeeded.
    Succeeded,
    /// It failed with this message.
    Failed(String),
    /// It was dropped because the run was cancelled.
    Cancelled,
}

impl Recorder {
    /// A recorder that has seen nothing. Give a clone to [`Engine::with_observer`](crate::Engine::with_observer).
    pub fn new() -> Self {
        Self::default()
    }

    /// The labels of the states that the run entered, in order: its start, and each state whose row is durable. Empty
    /// for a run that the recorder has not seen.
    pub fn path(&self, workflow_id: &str) -> Vec<String> {
        let runs = self.runs();
        let path = runs.get(workflow_id).map(|run| run.path.iter());
        path.into_iter()
            .flatten()
            .map(|(_, state)| state.clone())
            .collect()
    }

    /// The attempts of the run, in order.
    pub fn attempts(&self, workflow_id: &str) -> Vec<Attempt> {
        let runs = self.runs();
        runs.get(workflow_id)
            .map_or_else(Vec::new, |run| run.attempts.clone())
    }

    /// Checks that the run entered exactly these states, in this order.
    ///
    /// # Panics
    ///
    /// If it entered others. The message has both paths.
    #[track_caller]
    pub fn assert_path<S: State>(&self, workflow_id: &str, expected: impl IntoIterator<Item = S>) {
        let expected = expected.into_iter().map(|state| state.label().to_owned());
        compare(
            workflow_id,
            "entered",
            &self.path(workflow_id),
            &expected.collect::<Vec<_>>(),
        );
    }

    /// Checks that the run undid exactly these tasks with success, in this order.
    ///
    /// # Panics
    ///
    /// If it undid others. The message has both lists.
    #[track_caller]
    pub fn assert_undone<'a>(
        &self,
        workflow_id: &str,
        expected: impl IntoIterator<Item = &'a str>,
    ) {
        let undone = |attempt: Attempt| {
            let undone =
                attempt.direction == Direction::Undo && attempt.end == AttemptEnd::Succeeded;
            undone.then_some(attempt.task)
        };
        let undone: Vec<String> = self
            .attempts(workflow_id)
            .into_iter()
            .filter_map(undone)
            .collect();
        let expected: Vec<&str> = expected.into_iter().collect();
        compare(workflow_id, "undid", &undone, &expected);
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<String, Recorded>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[track_caller]
fn compare<A: Display + PartialEq<B>, B: Display>(
    workflow_id: &str,
    did: &str,
    got: &[A],
    expected: &[B],
) {
    assert!(
        got == expected,
        "run {workflow_id:?} {did} {}; expected {}",
        listed(got),
        listed(expected)
    );
}

fn listed(names: &[impl Display]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl Recorded {
    /// A life folds the whole log, so states that an earlier life entered come again.
    fn enter(&mut self, sequence: u64, state: &str) {
        if self.path.last().is_none_or(|(last, _)| *last < sequence) {
            self.path.push((sequence, state.to_owned()));
        }
    }

    fn applied(&mut self, sequence: u64, state: &RunState) {
        match state.phase() {
            Phase::Forward(visit) => self.enter(visit.id, &visit.state),
            Phase::Done { state } => self.enter(sequence, state),
            Phase::Unclaimed | Phase::RollingBack(_) | Phase::RolledBack { .. } => {}
        }
    }

    fn end(&mut self, end: AttemptEnd) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.end = end;
        }
    }
}

impl Observer for Recorder {
    fn on(&self, life: LifeId<'_>, observation: &Observation<'_>) {
        let mut runs = self.runs();
        let run = runs.entry(life.workflow_id.to_owned()).or_default();
        match observation {
            Observation::Applied { sequence, state } => run.applied(*sequence, state),
            Observation::Started {
                task,
                direction,
                attempt,
                ..
            } => run.attempts.push(Attempt {
                task: (*task).to_owned(),
                direction: *direction,
                number: *attempt,
                end: AttemptEnd::Open,
            }),
            Observation::Succeeded { .. } => run.end(AttemptEnd::Succeeded),
            Observation::Failed { failure, .. } => {
                run.end(AttemptEnd::Failed(failure.text().into_owned()));
            }
            Observation::Cancelled { .. } => run.end(AttemptEnd::Cancelled),
            _ => {}
        }
    }
}
