//! Results of actions: what a life appends, repeats or rolls back after a task, a step or an undo.

use crate::core::atoms::{Bytes, Label};
use crate::core::command::{Failure, FailureKind, Performed, Work};
use crate::core::definition::{RetryPolicy, TaskKind};
use crate::core::event::{Cause, CauseKind, Event, shortened};
use crate::core::life::{Life, Stage, task_of};
use crate::core::life_options::LifeOptions;
use crate::core::run_state::{Phase, Undo, Visit};

/// The event of a task of this kind that completed.
fn completion(kind: TaskKind, state: Label, task: Label, output: Option<Bytes>) -> Event {
    match (kind, output) {
        (TaskKind::Plain | TaskKind::Stepped | TaskKind::Poll, None) => {
            Event::Entered { state, task }
        }
        (TaskKind::Router, None) => Event::Routed { state, task },
        (TaskKind::Plain, Some(output)) => Event::Produced {
            state,
            task,
            output,
        },
        (TaskKind::Compensatable, Some(output)) => Event::Completed {
            state,
            task,
            output,
        },
        (TaskKind::Compensatable, None) => panic!("{task} is compensatable and left no output"),
        (TaskKind::Stepped | TaskKind::Router | TaskKind::Poll, Some(_)) => {
            panic!("{task} is a {kind:?} task, which leaves no output")
        }
        (TaskKind::Timer, _) => panic!("{task} is a timer, which the clock completes"),
    }
}

impl Life {
    pub(super) fn on_task_result(
        &mut self,
        state: usize,
        visit: Visit,
        attempt: u32,
        performed: Performed,
        options: LifeOptions<'_>,
    ) {
        let task = task_of(state, options);
        assert!(
            matches!(self.state.phase(), Phase::Forward(open) if open.id == visit.id),
            "only the open visit is performed"
        );
        assert!(
            (1..=task.policy.retry.attempts).contains(&attempt),
            "attempt {attempt} of {} is within the retry policy",
            task.name
        );
        if let Performed::Completed { next, .. } = &performed {
            assert!(
                *next < options.definition.states.len(),
                "a task names a state of its own workflow, whose indices the definition has"
            );
        }
        let name = task.name.clone();
        match (task.kind, performed) {
            (_, Performed::Completed { next, .. })
                if task
                    .edges
                    .as_ref()
                    .is_some_and(|edges| !edges.contains(&next)) =>
            {
                let next = &options.definition.states[next].label;
                let message = format!("{name} went to {next}, which is not among its edges");
                self.start_rollback(Cause::new(CauseKind::Failure, &message), options);
            }
            (kind, Performed::Completed { next, output }) => {
                let state = options.definition.states[next].label.clone();
                self.pin(completion(kind, state, name, output));
            }
            (TaskKind::Stepped, Performed::Stepped { cursor }) => {
                let event = Event::StepAdvanced {
                    state: visit.state,
                    task: name,
                    cursor,
                };
                self.pin(event);
            }
            (TaskKind::Timer, Performed::Waits { deadline_unix_ms }) => {
                let event = Event::TimerStarted {
                    state: visit.state,
                    task: name,
                    deadline_unix_ms,
                };
                self.pin(event);
            }
            (TaskKind::Poll, Performed::Pending { delay }) => {
                self.round_is_over(state, visit, delay);
                self.obey_cancellation(options);
            }
            (_, Performed::Failed(failure)) => {
                let retry = task.policy.retry;
                let work = Work::Do { state, visit };
                if let Some(failure) = self.retried(work, attempt, failure, retry) {
                    self.start_rollback(failure.into_cause(), options);
                } else {
                    self.obey_cancellation(options);
                }
            }
            (_, Performed::Cancelled) => {
                self.start_rollback(Cause::new(CauseKind::Cancelled, ""), options);
            }
            (kind, performed) => panic!("a {kind:?} task never returns {performed:?}"),
        }
    }

    pub(super) fn on_undo_result(
        &mut self,
        state: usize,
        undo: Undo,
        attempt: u32,
        performed: Performed,
        options: LifeOptions<'_>,
    ) {
        let retry = task_of(state, options).policy.undo_retry;
        let due = match self.state.phase() {
            Phase::RollingBack(rollback) => rollback.pending.last(),
            _ => None,
        };
        assert!(
            due.is_some_and(|due| due.undone == undo.undone),
            "only the undo that is due is performed"
        );
        match performed {
            Performed::Undone => {
                let Undo { task, undone, .. } = undo;
                self.pin(Event::Compensated { task, undone });
            }
            Performed::Failed(failure) => {
                let (task, undone) = (undo.task.clone(), undo.undone);
                let work = Work::Undo { state, undo };
                if let Some(failure) = self.retried(work, attempt, failure, retry) {
                    let error = shortened(&failure.text());
                    self.pin(Event::CompensationFailed {
                        task,
                        undone,
                        error,
                    });
                }
            }
            other => panic!("an undo never returns {other:?}"),
        }
    }

    /// Prepares another attempt, or returns the failure if no attempt is left.
    fn retried(
        &mut self,
        work: Work,
        attempt: u32,
        failure: Failure,
        policy: RetryPolicy,
    ) -> Option<Failure> {
        let is_final = match failure.kind {
            FailureKind::Fatal | FailureKind::Panic | FailureKind::Unserializable => true,
            FailureKind::Retry | FailureKind::Timeout => false,
        };
        if is_final || attempt >= policy.attempts {
            return Some(failure);
        }
        self.stage = Stage::PausingBeforeRetry {
            work,
            attempt,
            delay: policy.delay,
        };
        None
    }
}
