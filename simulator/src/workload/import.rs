//! A stepped import inside a loop: two batches with two cursors each. A cursor that leaked from one
//! visit into the next would skip a step.

use std::sync::Arc;

use crashpoint::{
    CompensatableTask, Ctx, Retention, State, StepOutcome, SteppedTask, TaskError, Workflow,
};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing};

const BATCHES: u64 = 2;
const PAGES: u64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Import {
    #[state(rename = "open-batch")]
    Open,
    #[state(rename = "import-pages")]
    Pages,
    #[state(rename = "more?")]
    More,
    #[state(rename = "imported")]
    Imported,
}

pub(super) fn recipe() -> Recipe<impl State> {
    Recipe {
        name: "import-loop",
        about: "stepped import in a loop",
        workflow: Arc::new(workflow),
        start: Import::Open,
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: false,
        length: Length::Long,
    }
}

fn workflow(process: &Process) -> Workflow<Import> {
    let more = async |ctx: Ctx| {
        let batch: u64 = ctx.output("open")?;
        Ok::<_, TaskError>(if batch < BATCHES {
            Import::Open
        } else {
            Import::Imported
        })
    };
    let workflow = Workflow::builder("import-loop", 1)
        .compensatable(
            Import::Open,
            "open",
            Open {
                process: process.clone(),
            },
        )
        .to([Import::Pages])
        .stepped(
            Import::Pages,
            "import",
            Pages {
                process: process.clone(),
            },
        )
        .to([Import::More])
        .task(Import::More, "more", more)
        .to([Import::Open, Import::Imported])
        .exit(Import::Imported)
        .build();
    workflow.expect("the workload is well defined")
}

/// Opens the next batch; its output is the batch's number, from 1.
struct Open {
    process: Process,
}

impl CompensatableTask<Import> for Open {
    type Output = u64;

    async fn run(&self, ctx: Ctx) -> Result<(Import, u64), TaskError> {
        let batch = ctx.output::<u64>("open").unwrap_or(0) + 1;
        self.process
            .effect(&ctx, "open a batch", &batch.to_string())
            .await;
        Ok((Import::Pages, batch))
    }

    async fn compensate(&self, ctx: Ctx, batch: u64) -> Result<(), TaskError> {
        self.process
            .effect(&ctx, "drop the batch", &batch.to_string())
            .await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.process
            .effect(&ctx, "drop the batch", "in doubt")
            .await;
        Ok(())
    }
}

/// Imports one page in each step. The cursor is the number of imported pages.
struct Pages {
    process: Process,
}

impl SteppedTask<Import> for Pages {
    type Cursor = u64;

    async fn step(
        &self,
        ctx: Ctx,
        cursor: Option<u64>,
    ) -> Result<StepOutcome<u64, Import>, TaskError> {
        let seen = cursor.map_or_else(|| "none".to_owned(), |pages| pages.to_string());
        self.process.effect(&ctx, "import a page", &seen).await;
        match cursor.unwrap_or(0) + 1 {
            pages if pages > PAGES => Ok(StepOutcome::Done(Import::More)),
            pages => Ok(StepOutcome::More(pages)),
        }
    }
}
