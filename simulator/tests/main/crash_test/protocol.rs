//! Mistakes that the engine's own protocol had at some time, or could have, under a workflow whose tasks
//! spawn: each is found in the tokio lane. The upgrade tests and the worlds of several nodes have the same
//! list.

use crashpoint::{CompensatableTask, Ctx, State, TaskError, Workflow};
use crashpoint_simulator::workload::Rule;
use crashpoint_simulator::{CrashTest, Process, crash_test};
use expect_test::{Expect, expect};
use tokio::task::JoinSet;

use super::first_line;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Ship,
    Shipped,
}

/// A task that spawns two tasks, each with an effect, and waits for both. So does its undo.
struct Spawns(Process, Order);

impl Spawns {
    async fn both(&self, ctx: &Ctx, what: &'static str) -> Result<(), TaskError> {
        let mut set = JoinSet::new();
        for receiver in ["bank", "books"] {
            let (process, ctx) = (self.0.clone(), ctx.clone());
            set.spawn(async move {
                let name = format!("{what} at the {receiver}");
                process.effect(&ctx, &name, "").await;
            });
        }
        while let Some(joined) = set.join_next().await {
            joined?;
        }
        Ok(())
    }
}

impl CompensatableTask<Order> for Spawns {
    type Output = ();

    async fn run(&self, ctx: Ctx) -> Result<(Order, ()), TaskError> {
        self.both(&ctx, "do").await?;
        Ok((self.1, ()))
    }

    async fn compensate(&self, ctx: Ctx, (): ()) -> Result<(), TaskError> {
        self.both(&ctx, "undo").await
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.both(&ctx, "undo").await
    }
}

fn order(process: &Process) -> Workflow<Order> {
    Workflow::builder("order", 1)
        .compensatable(
            Order::Charge,
            "charge",
            Spawns(process.clone(), Order::Ship),
        )
        .compensatable(Order::Ship, "ship", Spawns(process.clone(), Order::Shipped))
        .exit(Order::Shipped)
        .build()
        .expect("the workflow is valid")
}

fn spawning() -> CrashTest<Order> {
    crash_test(Order::Charge, &(), order)
        .tokio()
        .crashes(1)
        .samples(0)
}

/// Expects that the crash test fails if its engine breaks the rule.
#[track_caller]
fn breaks(rule: Rule, expected: &Expect) {
    let line = first_line(|| spawning().breaking(rule).run());
    expected.assert_eq(&line);
}

#[test]
fn an_engine_that_keeps_every_rule_carries_tasks_that_spawn() {
    spawning().run();
}

#[test]
fn an_ended_run_that_is_claimed_again_is_found_beside_spawned_tasks() {
    breaks(
        Rule::TerminalAbsorbs,
        &expect![[
            r#"prefixes-resume: life 3: log of run "run-1" is corrupt at sequence 3: a row follows the terminal row"#
        ]],
    );
}

#[test]
fn a_rollback_that_is_not_gone_on_with_is_found_beside_spawned_tasks() {
    breaks(
        Rule::RollbackResumes,
        &expect!["liveness: life 25 met no fault but did not end the run: suspended"],
    );
}

#[test]
fn a_task_that_runs_after_a_rollback_has_started_is_found_beside_spawned_tasks() {
    breaks(
        Rule::RollbackIsFinal,
        &expect!["visits-rerun: life 1 ran charge of visit 0 2 times in a row"],
    );
}

#[test]
fn an_open_visit_that_is_not_undone_is_found_beside_spawned_tasks() {
    breaks(
        Rule::OpenVisitIsUndone,
        &expect!["coverage: the open visit of charge is left out of the rollback"],
    );
}

#[test]
fn a_key_that_differs_in_each_life_is_found_beside_spawned_tasks() {
    breaks(
        Rule::KeyOutlivesTheLife,
        &expect!["keys: life 2 has another key for charge"],
    );
}

#[test]
fn an_undo_that_is_repeated_is_found_beside_spawned_tasks() {
    breaks(
        Rule::UndoRunsOnce,
        &expect!["undo-once: life 1 undid charge of visit 0 2 times in a row"],
    );
}

#[test]
fn an_overtaken_life_that_compensates_is_found_beside_spawned_tasks() {
    breaks(
        Rule::FencedStops,
        &expect!["one-writer: life 1 began charge although it saw the takeover"],
    );
}
