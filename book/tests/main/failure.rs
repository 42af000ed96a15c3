//! A crash test of a saga that forgets to undo a charge of unknown outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use crashpoint_simulator::{Process, crash_test};
use expect_test::expect_file;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Charged,
}

/// The task of the README without its `compensate_in_doubt`.
struct Charge(Process);

impl CompensatableTask<Order> for Charge {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        self.0.effect(&ctx, "charge the card", "19.99").await;
        Ok((Order::Charged, "receipt".to_owned()))
    }

    async fn compensate(&self, ctx: Ctx, receipt: String) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund the card", &receipt).await;
        Ok(())
    }
}

#[test]
fn the_book_and_the_readme_show_what_the_crash_test_prints() {
    let test = crash_test(Order::Charge, &(), |process| {
        Workflow::builder("order", 1)
            .compensatable(Order::Charge, "charge", Charge(process.clone()))
            .exit(Order::Charged)
            .build()
            .expect("the workflow is well defined")
    });
    let panic = catch_unwind(AssertUnwindSafe(|| test.run())).expect_err("the undo is missing");
    let message = panic.downcast_ref::<String>().expect("a panic with words");
    expect_file!["../../failure.txt"].assert_eq(&format!("{message}\n"));

    let shown = excerpt(include_str!("../../../README.md"));
    let strangers: Vec<&str> = shown
        .filter(|line| !message.lines().any(|printed| printed.starts_with(line)))
        .collect();
    assert_eq!(
        strangers, [""; 0],
        "lines that the crash test does not print"
    );
}

/// The lines of the first block of text, without the dots that stand for what is left out.
fn excerpt(readme: &str) -> impl Iterator<Item = &str> {
    let (_, block) = readme.split_once("```text\n").expect("a failure is shown");
    let (block, _) = block.split_once("```").expect("the block ends");
    block.lines().map(|line| line.trim_end_matches(['…', ' ']))
}
