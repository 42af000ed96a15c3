//! Faults of an attempt, independent of the task's own code. An interposer of the engine stands
//! before every task, and draws. It also keeps a process that died between two awaits away from a
//! world outside the simulation.

use std::sync::Arc;

use crashpoint::protocol::{Attempted, Definition, Interposer};
use crashpoint::{Ctx, State, TaskError, Workflow};

use crate::fault::AttemptFault;
use crate::sim::{Activity, Instant, Offer, Process};

/// The faults of any attempt.
const ATTEMPT_FAULTS: &[AttemptFault] = &[
    AttemptFault::Error,
    AttemptFault::ErrorAfter,
    AttemptFault::FatalAfter,
    AttemptFault::Twice,
    AttemptFault::Panic,
];

/// The faults of an attempt with a time limit.
const LIMITED_ATTEMPT_FAULTS: &[AttemptFault] = &[
    AttemptFault::Error,
    AttemptFault::ErrorAfter,
    AttemptFault::FatalAfter,
    AttemptFault::Twice,
    AttemptFault::Panic,
    AttemptFault::Hang,
];

struct Attempts {
    process: Process,
    definition: Definition,
}

impl Process {
    /// The workflow with the interposer of this process. If the budget has attempt faults, each
    /// attempt may get one; a dead process begins no attempt.
    pub(crate) fn interposed<S: State>(&self, workflow: Workflow<S>) -> Workflow<S> {
        let errors = self.sim().state().lasting.budget.errors;
        if errors == 0 && !self.sim().foreign_world {
            return workflow;
        }
        let attempts = Attempts {
            process: self.clone(),
            definition: workflow.definition().clone(),
        };
        let interposer: Arc<dyn Interposer> = Arc::new(attempts);
        workflow.interposed(&interposer)
    }
}

impl Attempts {
    fn faults_of(&self, ctx: &Ctx) -> Vec<AttemptFault> {
        let state = self.definition.state_of_task(ctx.task());
        let task = state.and_then(|state| self.definition.task(state));
        let policy = task.map(|task| task.policy).unwrap_or_default();
        let faults = match policy.attempt_timeout {
            Some(_) => LIMITED_ATTEMPT_FAULTS,
            None => ATTEMPT_FAULTS,
        };
        let mut faults = faults.to_vec();
        if let Some(last) = self.process.sim().is_last_of_pivot(self.process.run(), ctx) {
            faults.retain(|fault| !fault.fails_for_good(last));
        }
        faults
    }
}

impl Interposer for Attempts {
    fn interpose<'a>(
        &'a self,
        ctx: Ctx,
        attempt: Box<dyn Fn() -> Attempted<'a> + Send + Sync + 'a>,
    ) -> Attempted<'a> {
        Box::pin(async move {
            self.process.hang_if_dead().await;
            let attempt = || self.process.watched(&ctx, attempt());
            if self.process.sim().state().lasting.budget.errors == 0 {
                return attempt().await;
            }
            let what = Activity::of(&ctx);
            let faults = self.faults_of(&ctx);
            let instant = Instant::attempt(&what, &faults);
            // Not an instant for a switch: attempt faults must not change anything else.
            let Some(Offer::Operation(fault)) = self.process.decide(&instant) else {
                return attempt().await;
            };
            let error = |when: &str| format!("simulated: the attempt fails {when}");
            match fault {
                AttemptFault::Error => Err(TaskError::retry(error("before it begins"))),
                AttemptFault::ErrorAfter => {
                    attempt().await?;
                    Err(TaskError::retry(error("after its work is done")))
                }
                AttemptFault::FatalAfter => {
                    attempt().await?;
                    Err(TaskError::fatal(error("for good after its work is done")))
                }
                AttemptFault::Twice => {
                    // The result of the first execution is dropped: the second must do without it.
                    drop(attempt().await);
                    attempt().await
                }
                AttemptFault::Panic => {
                    self.process.panic_by_fault();
                    panic!("simulated: the attempt panics")
                }
                AttemptFault::Hang => std::future::pending().await,
            }
        })
    }
}
