//! A parcel: a compensatable task, and a poll with a deadline.
//!
//! The carrier answers the sixth round. A life that resumes with fewer rounds recorded begins with the first
//! again, and then the deadline comes before the answer.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{
    CompensatableTask, Ctx, PollOutcome, Retention, RetryPolicy, State, TaskError, Workflow,
};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing};

/// The round that is answered: the third after the number of rounds is recorded first.
const ANSWERED: u64 = 6;
const PAUSE: Duration = Duration::from_secs(10 * 60);
/// Enough for all rounds, and for no more than one of them twice.
const LIMIT: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Parcel {
    Send,
    Track,
    Arrived,
}

pub(super) fn recipe() -> Recipe<impl State> {
    Recipe {
        name: "parcel",
        about: "a poll with a deadline",
        workflow: Arc::new(workflow),
        start: Parcel::Send,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn workflow(process: &Process) -> Workflow<Parcel> {
    let send = SendParcel {
        process: process.clone(),
    };
    let pause = process.timer(PAUSE);
    let track = move |ctx: Ctx| async move {
        Ok::<_, TaskError>(if ctx.round() < ANSWERED {
            PollOutcome::Pending(pause)
        } else {
            PollOutcome::Ready(Parcel::Arrived)
        })
    };
    let workflow = Workflow::builder("parcel", 1)
        .compensatable(Parcel::Send, "send", send)
        .to([Parcel::Track])
        .poll(Parcel::Track, "track", track)
        .poll_limit(LIMIT)
        .retry(RetryPolicy::fixed(2, Duration::ZERO))
        .to([Parcel::Arrived])
        .exit(Parcel::Arrived)
        .build();
    workflow.expect("the workload is well defined")
}

/// Sends the parcel. Its output, which its undo passes on, is the visit.
struct SendParcel {
    process: Process,
}

impl CompensatableTask<Parcel> for SendParcel {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Parcel, u64), TaskError> {
        self.process.effect(&ctx, "send the parcel", "").await;
        Ok((Parcel::Track, ctx.visit()))
    }

    async fn compensate(&self, ctx: Ctx, visit: u64) -> Result<(), TaskError> {
        let visit = visit.to_string();
        self.process
            .effect(&ctx, "call the parcel back", &visit)
            .await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.process
            .effect(&ctx, "call the parcel back", "in doubt")
            .await;
        Ok(())
    }
}
