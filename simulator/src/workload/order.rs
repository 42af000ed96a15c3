//! An order saga: charge, reserve, ship; each with an undo. Variants fail in different ways.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{CompensatableTask, Ctx, Retention, RetryPolicy, State, TaskError, Workflow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Reserve,
    Ship,
    Shipped,
}

/// The outcome of the saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Succeeds,
    /// Shipping has its effect, and fails for good.
    Fails,
    /// Shipping fails once, and another attempt succeeds.
    FailsOnce,
    /// Shipping fails for good, and the undo of the reservation fails the first two times.
    UndoFails,
    /// Shipping panics.
    Panics,
    /// Shipping hangs until its time limit.
    Hangs,
}

/// How often the undo of the reservation fails before it succeeds, over all lives.
const UNDO_FAILURES: u64 = 2;

pub(super) fn recipes() -> impl Iterator<Item = Recipe<impl State>> {
    let keep = (Retention::Keep, Sharing::Shared);
    let clear = (Retention::ClearWhenDone, Sharing::Exclusive);
    [
        ("order", "saga, succeeds", Scenario::Succeeds, keep),
        (
            "order-fails",
            "saga, last task fails",
            Scenario::Fails,
            keep,
        ),
        (
            "order-fails-once",
            "saga, last task fails once",
            Scenario::FailsOnce,
            keep,
        ),
        (
            "order-undo-fails",
            "saga, an undo fails, retried",
            Scenario::UndoFails,
            keep,
        ),
        (
            "order-panics",
            "saga, last task panics",
            Scenario::Panics,
            keep,
        ),
        (
            "order-hangs",
            "saga, last task hangs",
            Scenario::Hangs,
            keep,
        ),
        (
            "order-cleared",
            "saga, log cleared when done",
            Scenario::Succeeds,
            clear,
        ),
    ]
    .into_iter()
    .map(|(name, about, scenario, (retention, sharing))| Recipe {
        name,
        about,
        workflow: Arc::new(move |process: &Process| workflow(process, scenario)),
        start: Order::Charge,
        input: json!({ "cents": 1999 }),
        retention,
        sharing,
        retry_stuck: scenario == Scenario::UndoFails,
        length: match scenario {
            Scenario::Succeeds => Length::Short,
            Scenario::Fails
            | Scenario::FailsOnce
            | Scenario::UndoFails
            | Scenario::Panics
            | Scenario::Hangs => Length::Long,
        },
    })
}

fn workflow(process: &Process, scenario: Scenario) -> Workflow<Order> {
    let act = |name, next, ships| Act {
        process: process.clone(),
        scenario,
        name,
        next,
        ships,
    };
    let workflow = Workflow::builder("order", 1)
        .compensatable(
            Order::Charge,
            "charge",
            act("charge the card", Order::Reserve, false),
        )
        .to([Order::Reserve])
        .compensatable(
            Order::Reserve,
            "reserve",
            act("reserve the goods", Order::Ship, false),
        )
        .to([Order::Ship])
        .compensatable(
            Order::Ship,
            "ship",
            act("ship the parcel", Order::Shipped, true),
        )
        .to([Order::Shipped])
        .retry(RetryPolicy::fixed(2, Duration::from_millis(20)))
        .attempt_timeout(Duration::from_millis(500))
        .exit(Order::Shipped)
        .build();
    workflow.expect("the workload is well defined")
}

/// A task of the saga.
struct Act {
    process: Process,
    scenario: Scenario,
    name: &'static str,
    next: Order,
    ships: bool,
}

/// The output of a task, which its undo receives.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    of: String,
    visit: u64,
}

impl CompensatableTask<Order> for Act {
    type Output = Receipt;

    async fn run(&self, ctx: Ctx) -> Result<(Order, Receipt), TaskError> {
        let order: serde_json::Value = ctx.input()?;
        self.process
            .effect(&ctx, self.name, &order["cents"].to_string())
            .await;
        if self.ships {
            match self.scenario {
                Scenario::Fails | Scenario::UndoFails => {
                    return Err(TaskError::fatal("the carrier refused the parcel"));
                }
                Scenario::FailsOnce if self.process.count("shipped") == 0 => {
                    return Err(TaskError::retry("the carrier did not answer"));
                }
                Scenario::Succeeds | Scenario::FailsOnce => {}
                Scenario::Panics => panic!("the label printer is on fire"),
                Scenario::Hangs => ctx.sleep(Duration::from_secs(3600)).await,
            }
        }
        Ok((
            self.next,
            Receipt {
                of: self.name.to_owned(),
                visit: ctx.visit(),
            },
        ))
    }

    async fn compensate(&self, ctx: Ctx, receipt: Receipt) -> Result<(), TaskError> {
        let fails = self.scenario == Scenario::UndoFails && ctx.task() == "reserve";
        if fails && self.process.count("unreserved") < UNDO_FAILURES {
            return Err(TaskError::fatal("the warehouse is closed"));
        }
        let receipt = serde_json::to_string(&receipt)?;
        self.process
            .effect(&ctx, &format!("undo: {}", self.name), &receipt)
            .await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.process
            .effect(&ctx, &format!("undo: {}", self.name), "in doubt")
            .await;
        Ok(())
    }
}
