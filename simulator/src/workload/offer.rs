//! A negotiation: plain tasks that leave outputs, and a router that decides by them. The offer is made
//! twice, so a task that read its first output would sign the wrong offer.

use std::sync::Arc;

use crashpoint::protocol::Rules;
use crashpoint::{Ctx, Retention, RunData, State, TaskError, Workflow};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing, Workload};

/// The round in which the offer is accepted.
const ACCEPTED: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Offer {
    Make,
    Decide,
    Sign,
    Signed,
}

/// Nothing in it fails, so it is done unless a fault prevents it: a lost output shows at once.
pub(super) fn workload<R: Rules>(rules: R) -> Workload {
    let mut workload = recipe().under(rules);
    workload.accepts.clear();
    workload
}

fn recipe() -> Recipe<Offer> {
    Recipe {
        name: "offer",
        about: "outputs of plain tasks, and a router",
        workflow: Arc::new(workflow),
        start: Offer::Make,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn workflow(process: &Process) -> Workflow<Offer> {
    let making = process.clone();
    let make = move |ctx: Ctx| {
        let process = making.clone();
        async move {
            let round = ctx.output::<u64>("make").unwrap_or(0) + 1;
            let payload = round.to_string();
            process.effect(&ctx, "make an offer", &payload).await;
            Ok::<_, TaskError>((Offer::Decide, round))
        }
    };
    let decide = |data: &RunData| {
        let round: u64 = data.output("make")?;
        Ok(if round < ACCEPTED {
            Offer::Make
        } else {
            Offer::Sign
        })
    };
    let signing = process.clone();
    let sign = move |ctx: Ctx| {
        let process = signing.clone();
        async move {
            let round: u64 = ctx.output("make")?;
            if round != ACCEPTED {
                return Err(TaskError::fatal(format!("offer {round} was not accepted")));
            }
            let payload = round.to_string();
            process.effect(&ctx, "sign the offer", &payload).await;
            Ok(Offer::Signed)
        }
    };
    let workflow = Workflow::builder("offer", 1)
        .task_with_output(Offer::Make, "make", make)
        .to([Offer::Decide])
        .router(Offer::Decide, "decide", decide)
        .to([Offer::Make, Offer::Sign])
        .task(Offer::Sign, "sign", sign)
        .to([Offer::Signed])
        .exit(Offer::Signed)
        .build();
    workflow.expect("the workload is well defined")
}
