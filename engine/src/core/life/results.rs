//! Results of actions: what a life appends, repeats or rolls back after a task, a step or an undo.

use crate::core::command::{Failure, FailureKind, Performed, Work};
use crate::core::definition::{RetryPolicy, TaskKind};
use crate::core::event::{Cause, CauseKind, Event, shortened};
use crate::core::life::{Life, Stage};
use crate::core::plan::Plan;
use crate::core::run_state::{Phase, Undo, Visit};

impl Life {
    pub(super) fn done(
        &mut self,
        state: usize,
        visit: Visit,
        attempt: u32,
        performed: Performed,
        plan: Plan<'_>,
    ) {
        let task = plan
            .definition
            .task(state)
            .expect("a state that runs has a task");
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
                *next < plan.definition.states.len(),
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
                let next = &plan.definition.states[next].label;
                let message = format!("{name} went to {next}, which is not among its edges");
                self.turn_around(Cause::new(CauseKind::Failure, &message), plan);
            }
            (TaskKind::Plain | TaskKind::Stepped, Performed::Completed { next, output: None }) => {
                let state = plan.definition.states[next].label.clone();
                self.pin(Event::Entered { state, task: name });
            }
            (
                TaskKind::Compensatable,
                Performed::Completed {
                    next,
                    output: Some(output),
                },
            ) => {
                let state = plan.definition.states[next].label.clone();
                self.pin(Event::Completed {
                    state,
                    task: name,
                    output,
                });
            }
            (TaskKind::Stepped, Performed::Stepped { cursor }) => {
                let event = Event::StepAdvanced {
                    state: visit.state,
                    task: name,
                    cursor,
                };
                self.pin(event);
            }
            (_, Performed::Failed(failure)) => {
                let retry = task.policy.retry;
                let work = Work::Do { state, visit };
                if let Some(failure) = self.retried(work, attempt, failure, retry) {
                    self.turn_around(failure.into_cause(), plan);
                } else {
                    self.heed_cancellation(plan);
                }
            }
            (_, Performed::Cancelled) => {
                self.turn_around(Cause::new(CauseKind::Cancelled, ""), plan);
            }
            (kind, performed) => panic!("a {kind:?} task can't come to {performed:?}"),
        }
    }

    pub(super) fn undone(
        &mut self,
        state: usize,
        undo: Undo,
        attempt: u32,
        performed: Performed,
        plan: Plan<'_>,
    ) {
        let policy = plan
            .definition
            .task(state)
            .expect("an undo belongs to a task")
            .policy;
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
                if let Some(failure) = self.retried(work, attempt, failure, policy.undo_retry) {
                    let error = shortened(&failure.text());
                    self.pin(Event::CompensationFailed {
                        task,
                        undone,
                        error,
                    });
                }
            }
            other => panic!("an undo can't come to {other:?}"),
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
        let is_final = matches!(failure.kind, FailureKind::Fatal | FailureKind::Panic);
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
