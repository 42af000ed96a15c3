//! Three plain tasks in a row, each with an effect. One of them waits.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{Ctx, Retention, State, TaskError, Workflow};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Linear {
    Fetch,
    Parse,
    Publish,
    Published,
}

pub(super) fn recipe() -> Recipe<impl State> {
    Recipe {
        name: "linear",
        about: "three plain tasks",
        workflow: Arc::new(workflow),
        start: Linear::Fetch,
        input: json!({ "page": 7 }),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn workflow(process: &Process) -> Workflow<Linear> {
    let does = |name: &'static str, next: Linear, pause: Duration| {
        let process = process.clone();
        move |ctx: Ctx| {
            let process = process.clone();
            async move {
                ctx.sleep(pause).await;
                process.effect(&ctx, name, "").await;
                Ok::<_, TaskError>(next)
            }
        }
    };
    let (at_once, a_while) = (Duration::ZERO, Duration::from_millis(5));
    let workflow = Workflow::builder("linear", 1)
        .task(
            Linear::Fetch,
            "fetch",
            does("fetch the page", Linear::Parse, a_while),
        )
        .to([Linear::Parse])
        .task(
            Linear::Parse,
            "parse",
            does("parse it", Linear::Publish, at_once),
        )
        .to([Linear::Publish])
        .task(
            Linear::Publish,
            "publish",
            does("publish it", Linear::Published, at_once),
        )
        .to([Linear::Published])
        .exit(Linear::Published)
        .build();
    workflow.expect("the workload is well defined")
}
