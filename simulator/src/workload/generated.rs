//! Workflows as data. Choices can draw one, the shrinker can reduce it, and each is a workload.
//!
//! A workflow is a row of states, each with a task, and an exit after them. A task goes to the next
//! state, except that a task with a detour goes elsewhere the first few times: forward it skips
//! states, backward it is a loop. The world counts the detours, so every run ends.

mod plan;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crashpoint::protocol::Rules;
use crashpoint::{
    CompensatableTask, Ctx, Retention, RetryPolicy, State, StepOutcome, SteppedTask, Task,
    TaskError, Workflow,
};
use serde_json::json;

use crate::sim::Process;
use crate::workload::{Length, Recipe, Sharing, Workload};

pub use plan::draw;

/// The labels of the states with a task, in order.
const LABELS: [&str; NODES_MAX] = ["a", "b", "c", "d", "e", "f", "g"];

/// The names of the tasks, in the order of their states.
const TASKS: [&str; NODES_MAX] = ["do a", "do b", "do c", "do d", "do e", "do f", "do g"];

/// The label of the exit.
const EXIT: &str = "end";

/// The most states of a workflow, without the exit.
pub const NODES_MAX: usize = 7;

/// A state with its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The kind of the task.
    pub kind: Kind,
    /// Where the task goes the first few times.
    pub detour: Option<Detour>,
    /// How the forward action fails.
    pub failure: Failure,
    /// How often the undo fails for good, over all lives.
    pub undo_failures: u64,
    /// Whether the task sleeps before it acts.
    pub sleeps: bool,
}

/// The kind of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain task.
    Plain,
    /// A task with an undo.
    Compensatable,
    /// A task that writes this many cursors before it is done.
    Stepped(u64),
}

/// Another state to which a task goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detour {
    /// The index of the state: the task's own, an earlier or a later state, or the exit.
    pub to: usize,
    /// How often it goes there, over all lives.
    pub times: u64,
}

/// How a task fails, after its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not fail.
    Never,
    /// The first attempt over all lives fails, and is retried.
    Once,
    /// The first attempt over all lives fails for good.
    FatalOnce,
    /// Every attempt fails for good.
    Always,
    /// Every attempt panics.
    Panics,
}

impl Node {
    /// A task of this kind without a detour that never fails.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            detour: None,
            failure: Failure::Never,
            undo_failures: 0,
            sleeps: false,
        }
    }
}

/// The workload of these nodes, under these rules.
///
/// # Panics
///
/// If there are no nodes, more than [`NODES_MAX`], or a detour to a state that does not exist.
pub fn generated<R: Rules>(nodes: &[Node], rules: R) -> Workload {
    match nodes.len() {
        1 => recipe::<2>(nodes).under(rules),
        2 => recipe::<3>(nodes).under(rules),
        3 => recipe::<4>(nodes).under(rules),
        4 => recipe::<5>(nodes).under(rules),
        5 => recipe::<6>(nodes).under(rules),
        6 => recipe::<7>(nodes).under(rules),
        7 => recipe::<8>(nodes).under(rules),
        count => panic!("a generated workflow needs 1..={NODES_MAX} states, got {count}"),
    }
}

fn recipe<const STATES: usize>(nodes: &[Node]) -> Recipe<Slot<STATES>> {
    let nodes: Arc<[Node]> = nodes.into();
    Recipe {
        name: "generated",
        about: "a drawn workflow",
        workflow: Arc::new(move |process: &Process| workflow(process, &nodes)),
        start: Slot(0),
        input: json!(null),
        retention: Retention::Keep,
        sharing: Sharing::Shared,
        retry_stuck: true,
        length: Length::Long,
    }
}

fn workflow<const STATES: usize>(process: &Process, nodes: &[Node]) -> Workflow<Slot<STATES>> {
    let mut builder = Workflow::builder("generated", 1);
    for (index, node) in nodes.iter().enumerate() {
        let (state, name) = (Slot(index), TASKS[index]);
        let act = Act::<STATES> {
            process: process.clone(),
            index,
            node: *node,
        };
        builder = match node.kind {
            Kind::Plain => builder.task(state, name, act),
            Kind::Compensatable => builder.compensatable(state, name, act),
            Kind::Stepped(_) => builder.stepped(state, name, act),
        };
        let next = [Some(index + 1), node.detour.map(|detour| detour.to)];
        let next: BTreeSet<usize> = next.into_iter().flatten().collect();
        builder = builder.to(next.into_iter().map(slot));
        if node.failure == Failure::Once {
            builder = builder.retry(RetryPolicy::fixed(2, Duration::from_millis(20)));
        }
    }
    let workflow = builder.exit(Slot(nodes.len())).build();
    workflow.expect("a drawn workflow is well defined")
}

/// A state of a workflow with `STATES` states, by its index. The last is the exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot<const STATES: usize>(usize);

fn slot<const STATES: usize>(index: usize) -> Slot<STATES> {
    assert!(index < STATES, "state {index} among {STATES}");
    Slot(index)
}

impl<const STATES: usize> State for Slot<STATES> {
    const ALL: &'static [Self] = &{
        let mut all = [Self(0); STATES];
        let mut index = 0;
        while index < STATES {
            all[index] = Self(index);
            index += 1;
        }
        all
    };

    fn label(self) -> &'static str {
        if self.0 + 1 == STATES {
            EXIT
        } else {
            LABELS[self.0]
        }
    }

    fn from_label(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|slot| slot.label() == label)
    }
}

/// The task of a node.
struct Act<const STATES: usize> {
    process: Process,
    index: usize,
    node: Node,
}

impl<const STATES: usize> Act<STATES> {
    async fn act(&self, ctx: &Ctx, payload: &str) -> Result<(), TaskError> {
        if self.node.sleeps {
            ctx.sleep(Duration::from_millis(5)).await;
        }
        self.process.effect(ctx, ctx.task(), payload).await;
        let failed = format!("{} failed", ctx.task());
        match self.node.failure {
            Failure::Once if self.process.count(&failed) == 0 => Err(TaskError::retry("not yet")),
            Failure::FatalOnce if self.process.count(&failed) == 0 => {
                Err(TaskError::fatal("not this time"))
            }
            Failure::Always => Err(TaskError::fatal("never")),
            Failure::Panics => panic!("the task always panics"),
            Failure::Never | Failure::Once | Failure::FatalOnce => Ok(()),
        }
    }

    fn next(&self) -> Slot<STATES> {
        let detour = self.node.detour.filter(|detour| {
            let taken = format!("{} took its detour", TASKS[self.index]);
            self.process.count(&taken) < detour.times
        });
        slot(detour.map_or(self.index + 1, |detour| detour.to))
    }

    async fn undo(&self, ctx: &Ctx, payload: &str) -> Result<(), TaskError> {
        let tried = format!("{} was undone", ctx.task());
        if self.process.count(&tried) < self.node.undo_failures {
            return Err(TaskError::fatal("the undo fails this time"));
        }
        let name = format!("undo: {}", ctx.task());
        self.process.effect(ctx, &name, payload).await;
        Ok(())
    }
}

impl<const STATES: usize> Task<Slot<STATES>> for Act<STATES> {
    async fn run(&self, ctx: Ctx) -> Result<Slot<STATES>, TaskError> {
        self.act(&ctx, "").await?;
        Ok(self.next())
    }
}

impl<const STATES: usize> CompensatableTask<Slot<STATES>> for Act<STATES> {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Slot<STATES>, String), TaskError> {
        self.act(&ctx, "").await?;
        Ok((self.next(), format!("visit {}", ctx.visit())))
    }

    async fn compensate(&self, ctx: Ctx, output: String) -> Result<(), TaskError> {
        self.undo(&ctx, &serde_json::to_string(&output)?).await
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        self.undo(&ctx, "in doubt").await
    }
}

impl<const STATES: usize> SteppedTask<Slot<STATES>> for Act<STATES> {
    type Cursor = u64;

    async fn step(
        &self,
        ctx: Ctx,
        cursor: Option<u64>,
    ) -> Result<StepOutcome<u64, Slot<STATES>>, TaskError> {
        let seen = cursor.map_or_else(|| "none".to_owned(), |cursor| cursor.to_string());
        self.act(&ctx, &seen).await?;
        let Kind::Stepped(cursors) = self.node.kind else {
            unreachable!("only a stepped task steps");
        };
        match cursor.unwrap_or(0) {
            left if left < cursors => Ok(StepOutcome::More(left + 1)),
            _ => Ok(StepOutcome::Done(self.next())),
        }
    }
}
