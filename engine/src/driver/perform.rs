//! Performs the actions of a life: one attempt of a task, a step or an undo, with its time limit,
//! its cancellation and its panics.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{self, Either};

use crate::core::{Direction, Failure, FailureKind, Machine, Performed, TaskKind, Work};
use crate::driver::Driver;
use crate::foreign::{contained_future, drop_contained};
use crate::observe::Observation;
use crate::observe::spans::Attempt;
use crate::task::{Action, Call, Ctx, RunData, TaskError, Unserializable};

impl<M: Machine> Driver<'_, M> {
    pub(super) async fn perform(&self, work: &Work, number: u32) -> Performed {
        // The cancellation may have come while the append before this was under way, or in the
        // pause before this attempt: nothing more is begun then.
        let forward = matches!(work, Work::Do { .. });
        if forward && self.environment.cancel.is_cancelled() && self.life.heeds_cancellation() {
            return Performed::Cancelled;
        }
        let (state, action, call) = self.prepare(work, number);
        let Action {
            direction,
            visit,
            cursors,
            round,
            ..
        } = action;
        let name = action.task.clone();
        let task = &*name;
        self.observe(&Observation::Started {
            task,
            direction,
            visit,
            cursors,
            round,
            attempt: number,
        });
        let handler = self.flow.handlers[state]
            .as_deref()
            .expect("a state that runs has a task");
        let ctx = Ctx::new(Arc::clone(&self.context), action);
        // Within the future, so that a panic before its first await is caught too, and a panic of the
        // error's message.
        let attempt = async move {
            handler
                .call(ctx, call)
                .await
                .map_err(|error| failure(&error))
        };
        let within = Attempt {
            task,
            direction,
            visit,
            cursors,
            number,
        };
        let attempt = contained_future(Contained(Some(Box::pin(attempt))));
        let attempt = self.visits.within(&within, attempt);
        let performed = match direction {
            Direction::Do => {
                self.unless_cancelled(self.within_limit(state, attempt))
                    .await
            }
            Direction::Undo => self.within_limit(state, attempt).await,
        };
        self.observe(&match &performed {
            Performed::Failed(failure) => Observation::Failed {
                task,
                direction,
                failure,
            },
            Performed::Cancelled => Observation::Cancelled { task },
            _ => Observation::Succeeded { task, direction },
        });
        performed
    }

    fn prepare(&self, work: &Work, attempt: u32) -> (usize, Action, Call) {
        let run = self.life.state();
        let header = run.header().expect("only a claimed run performs");
        assert!(
            header.claim_sequence < run.next_sequence(),
            "the fencing token is the sequence of a durable claim"
        );
        let action = |state: usize, visit, cursors, direction| Action {
            run_id: self.life.key_run_id(),
            fencing_token: header.claim_sequence,
            data: RunData {
                input: header.input.clone(),
                completed: run.completed().clone(),
                outputs: run.outputs().clone(),
            },
            state: self.flow.definition.states[state].label.clone(),
            task: self
                .flow
                .definition
                .task(state)
                .expect("work has a task")
                .name
                .clone(),
            visit,
            cursors,
            round: 0,
            direction,
            attempt,
            keys: Default::default(),
        };
        match work {
            Work::Do { state, visit } => {
                assert!(
                    visit.id < run.next_sequence(),
                    "the row that enters a visit is durable"
                );
                let mut action = action(*state, visit.id, visit.cursors, Direction::Do);
                let task = self.flow.definition.task(*state);
                if task.is_some_and(|task| task.kind == TaskKind::Poll) {
                    action.round = visit.polled.unwrap_or_default().rounds.saturating_add(1);
                }
                (*state, action, Call::Do(visit.cursor.clone()))
            }
            Work::Undo { state, undo } => {
                assert!(
                    undo.visit < run.next_sequence(),
                    "what is undone was entered"
                );
                let action = action(*state, undo.visit, 0, Direction::Undo);
                (*state, action, Call::Undo(undo.output.clone()))
            }
        }
    }

    async fn within_limit(
        &self,
        state: usize,
        attempt: impl Future<Output = Attempted>,
    ) -> Performed {
        let policy = self
            .flow
            .definition
            .task(state)
            .expect("work has a task")
            .policy;
        let Some(limit) = policy.attempt_timeout else {
            return settled(attempt.await);
        };
        match future::select(pin!(attempt), self.environment.runtime.sleep(limit)).await {
            Either::Left((result, _)) => settled(result),
            Either::Right(_) => failed(
                FailureKind::Timeout,
                format!("the attempt took longer than {} ms", limit.as_millis()),
            ),
        }
    }

    async fn unless_cancelled(&self, attempt: impl Future<Output = Performed>) -> Performed {
        let cancelled = self.environment.cancel.cancelled();
        match future::select(pin!(attempt), pin!(cancelled)).await {
            Either::Left((performed, _)) => performed,
            Either::Right(_) => Performed::Cancelled,
        }
    }
}

/// The result of an attempt; the outer error has the words of a panic.
type Attempted = Result<Result<Performed, Failure>, String>;

/// A user's future whose destructor can't end the life by a panic. If the future is dropped because of
/// its time limit or a cancellation, no caller is left to report the panic to.
struct Contained<F>(Option<Pin<Box<F>>>);

impl<F: Future> Future for Contained<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.0.as_mut().expect("it is there until it is dropped");
        future.as_mut().poll(cx)
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        drop_contained(self.0.take());
    }
}

/// A panic is the task's failure, and no other attempt is made: it is a bug.
fn settled(result: Attempted) -> Performed {
    match result {
        Ok(Ok(performed)) => performed,
        Ok(Err(failure)) => Performed::Failed(failure),
        Err(words) => failed(FailureKind::Panic, words),
    }
}

fn failure(error: &TaskError) -> Failure {
    let kind = match error {
        TaskError::Retry(_) => FailureKind::Retry,
        TaskError::Fatal(error) if error.is::<Unserializable>() => FailureKind::Unserializable,
        TaskError::Fatal(_) => FailureKind::Fatal,
    };
    let message = error.message();
    Failure { kind, message }
}

fn failed(kind: FailureKind, message: String) -> Performed {
    Performed::Failed(Failure { kind, message })
}
