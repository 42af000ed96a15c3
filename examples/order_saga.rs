//! An order as a saga. One order ships; another fails at its second step, and the engine refunds
//! the charge of the first.
//!
//!     cargo run --example order_saga

#![allow(clippy::print_stdout)]

use crashpoint::{
    CompensatableTask, Ctx, Engine, MemoryCheckpointStore, Outcome, State, TaskError, Workflow,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Pack,
    Shipped,
}

struct Charge;

impl CompensatableTask<Order> for Charge {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        let item: String = ctx.input()?;
        println!("  charge the card for a {item}");
        // The output is durable before the next task starts.
        Ok((Order::Pack, format!("receipt for a {item}")))
    }

    async fn compensate(&self, _ctx: Ctx, receipt: String) -> Result<(), TaskError> {
        println!("  refund the {receipt}");
        Ok(())
    }
}

async fn pack(ctx: Ctx) -> Result<Order, TaskError> {
    let item: String = ctx.input()?;
    if item == "lamp" {
        return Err(TaskError::fatal("no lamp in stock"));
    }
    println!("  pack a {item}");
    Ok(Order::Shipped)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workflow = Workflow::builder("order", 1)
        .compensatable(Order::Charge, "charge", Charge)
        .to([Order::Pack])
        .task(Order::Pack, "pack", pack)
        .exit(Order::Shipped)
        .build()?;
    let engine = Engine::new(MemoryCheckpointStore::new());

    for (id, item) in [("order-1", "book"), ("order-2", "lamp")] {
        println!("{id}:");
        let outcome = engine.run(&workflow, id, Order::Charge, item).await?;
        match outcome {
            Outcome::Done(_) => println!("  shipped"),
            Outcome::RolledBack(end) => println!("  rolled back: {}", end.cause.message),
            Outcome::Stuck(end) => println!("  stuck: {:?}", end.leftovers),
        }
    }
    Ok(())
}
