//! The workflow of every run of a fleet. Its input says how the run goes.

use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use serde::{Deserialize, Deserializer, Serialize};

use crate::operations::fleet::Course;
use crate::operations::store::Caller;

/// The states of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub(super) enum Job {
    Reserve,
    Decide,
    /// The exit of a run that decided for the first time.
    First,
    /// The exit of a run whose id had decided before: a run that begins again ends differently.
    Again,
}

/// The output of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Receipt;

/// The bytes of an output that an earlier program wrote, and that this one panics on.
pub(super) const POISONED: &[u8] = br#""a receipt of an earlier program""#;

impl<'de> Deserialize<'de> for Receipt {
    /// A mistake of the workflow's author, in code that runs outside of the tasks.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            None => Ok(Self),
            Some(other) => panic!("this is no receipt: {other}"),
        }
    }
}

/// The workflow `name`, whose tasks act for `caller`.
pub(super) fn workflow(name: &str, caller: &Caller) -> Workflow<Job> {
    let reserve = Reserve(caller.clone());
    let decide = caller.clone();
    let decide = move |ctx: Ctx| {
        let caller = decide.clone();
        async move { decide_for(&caller, &ctx).await }
    };
    let workflow = Workflow::builder(name, 1)
        .compensatable(Job::Reserve, "reserve", reserve)
        .to([Job::Decide])
        .task(Job::Decide, "decide", decide)
        .to([Job::First, Job::Again])
        .exit(Job::First)
        .exit(Job::Again)
        .build();
    workflow.expect("the workflow is well defined")
}

async fn decide_for(caller: &Caller, ctx: &Ctx) -> Result<Job, TaskError> {
    match ctx.input()? {
        Course::Succeeds => {}
        Course::Fails | Course::Sticks => return Err(TaskError::fatal("the goods are gone")),
        Course::Panics => panic!("the label printer is on fire"),
    }
    let decided_before = caller.effect(ctx).await;
    Ok(if decided_before == 0 {
        Job::First
    } else {
        Job::Again
    })
}

struct Reserve(Caller);

impl CompensatableTask<Job> for Reserve {
    type Output = Receipt;

    async fn run(&self, ctx: Ctx) -> Result<(Job, Receipt), TaskError> {
        self.0.effect(&ctx).await;
        Ok((Job::Decide, Receipt))
    }

    async fn compensate(&self, ctx: Ctx, _receipt: Receipt) -> Result<(), TaskError> {
        if ctx.input::<Course>()? == Course::Sticks && !self.0.undos_are_repaired() {
            return Err(TaskError::fatal("the warehouse is closed"));
        }
        self.0.effect(&ctx).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.0.effect(&ctx).await;
        Ok(())
    }
}
