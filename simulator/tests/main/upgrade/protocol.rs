//! Mistakes that the engine's own protocol had at some time, or could have, in the engine of the new
//! release: each is found by the logs that the old release leaves.

use crashpoint::{
    CompensatableTask, Ctx, State, StepOutcome, SteppedTask, TaskError, Workflow, WorkflowBuilder,
};
use crashpoint_simulator::workload::Rule;
use crashpoint_simulator::{Process, UpgradeTest, upgrade_test};
use expect_test::{Expect, expect};

use super::failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Pick,
    Ship,
    Shipped,
}

struct Charge(Process);

impl CompensatableTask<Order> for Charge {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        self.0.effect(&ctx, "charge", "").await;
        Ok((Order::Pick, "receipt".to_owned()))
    }

    async fn compensate(&self, ctx: Ctx, receipt: String) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund", &receipt).await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.0.effect(&ctx, "refund", "").await;
        Ok(())
    }
}

/// Picks two items.
struct Pick(Process);

impl SteppedTask<Order> for Pick {
    type Cursor = u32;

    async fn step(
        &self,
        ctx: Ctx,
        picked: Option<u32>,
    ) -> Result<StepOutcome<u32, Order>, TaskError> {
        self.0.effect(&ctx, "pick", "").await;
        Ok(match picked {
            None => StepOutcome::More(1),
            Some(_) => StepOutcome::Done(Order::Ship),
        })
    }
}

struct Ship(Process);

impl CompensatableTask<Order> for Ship {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.0.effect(&ctx, "ship", "").await;
        Ok((Order::Shipped, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.0.effect(&ctx, "call back", "").await;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.0.effect(&ctx, "call back", "").await;
        Ok(())
    }
}

/// The states before the shipping.
fn begun(process: &Process, version: u32) -> WorkflowBuilder<Order> {
    Workflow::builder("order", version)
        .accepts([1])
        .compensatable(Order::Charge, "charge", Charge(process.clone()))
        .stepped(Order::Pick, "pick", Pick(process.clone()))
}

fn order(process: &Process, version: u32) -> Workflow<Order> {
    begun(process, version)
        .compensatable(Order::Ship, "ship", Ship(process.clone()))
        .exit(Order::Shipped)
        .build()
        .expect("the workflow is valid")
}

/// A release that leaves the shipping to others.
fn without_shipping(process: &Process) -> Workflow<Order> {
    let begun = begun(process, 2).exit(Order::Ship).exit(Order::Shipped);
    begun.build().expect("the workflow is valid")
}

fn upgrade(
    new: impl Fn(&Process) -> Workflow<Order> + Send + Sync + 'static,
) -> UpgradeTest<Order, Order> {
    upgrade_test(Order::Charge, &(), |process| order(process, 1)).to(Order::Charge, &(), new)
}

fn to_version_2() -> UpgradeTest<Order, Order> {
    upgrade(|process| order(process, 2))
}

/// Expects that the new release breaks a promise if its engine breaks the rule.
#[track_caller]
fn breaks(test: UpgradeTest<Order, Order>, rule: Rule, expected: &Expect) {
    let message = failure(|| test.breaking(rule).run());
    expected.assert_eq(message.lines().next().unwrap_or_default());
}

#[test]
fn an_engine_that_keeps_every_rule_carries_the_order() {
    to_version_2().run();
}

#[test]
fn a_claim_before_the_check_of_the_log_is_found() {
    let without = || upgrade(without_shipping).refuses([Order::Ship, Order::Shipped]);
    without().run();
    breaks(
        without(),
        Rule::MismatchBeforeClaim,
        &expect![[
            r#"in the rollout old-new: prefixes-resume: the run is open in "Ship", which is an exit"#
        ]],
    );
}

#[test]
fn an_ended_run_that_is_claimed_again_is_found() {
    breaks(
        to_version_2(),
        Rule::TerminalAbsorbs,
        &expect![[
            r#"in the rollout old-new: prefixes-resume: life 3: log of run "run-1" is corrupt at sequence 5: a row follows the terminal row"#
        ]],
    );
}

#[test]
fn a_rollback_that_is_not_gone_on_with_is_found() {
    breaks(
        to_version_2(),
        Rule::RollbackResumes,
        &expect![
            "in the rollout old-new: liveness: life 25 met no fault but did not end the run: suspended"
        ],
    );
}

#[test]
fn a_task_that_runs_after_a_rollback_has_started_is_found() {
    breaks(
        to_version_2(),
        Rule::RollbackIsFinal,
        &expect![
            "in the rollout old-new: visits-rerun: life 3 ran ship of visit 3 2 times in a row"
        ],
    );
}

#[test]
fn an_open_visit_that_is_not_undone_is_found() {
    breaks(
        to_version_2(),
        Rule::OpenVisitIsUndone,
        &expect![
            "in the rollout old-new: coverage: the open visit of ship is left out of the rollback"
        ],
    );
}

#[test]
fn a_key_that_differs_in_each_life_is_found() {
    breaks(
        to_version_2(),
        Rule::KeyOutlivesTheLife,
        &expect!["in the rollout old-new: keys: life 2 has another key for charge"],
    );
}

#[test]
fn an_undo_that_is_repeated_is_found() {
    breaks(
        to_version_2(),
        Rule::UndoRunsOnce,
        &expect![
            "in the rollout old-new: undo-once: life 3 undid ship of visit 3 2 times in a row"
        ],
    );
}

#[test]
fn an_undo_of_the_oldest_completion_first_is_found() {
    breaks(
        to_version_2(),
        Rule::UndoInReverse,
        &expect!["in the rollout old-new: undo-order: life 3 undid charge before ship was settled"],
    );
}

#[test]
fn an_overtaken_life_that_compensates_is_found() {
    breaks(
        to_version_2(),
        Rule::FencedStops,
        &expect![
            "in the rollout old-new: one-writer: life 3 began charge although it saw the takeover"
        ],
    );
}
