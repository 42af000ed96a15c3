//! The built-in upgrades: two releases of an order, over one log. `crashpoint explore --workload
//! upgrades` runs the right upgrades. Upgrades with a mistake must be caught; an exploration has them
//! only by name.
//!
//! An upgrade is a workload for each [`Rollout`]: `upgrade-renames-state-old-new`. A mutant
//! (`upgrade-renames-state-old-new~UndoRunsOnce`) has the engine of its new release break a rule.

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Rules, Without};
use crashpoint::{CompensatableTask, Ctx, Retention, State, TaskError, Workflow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::sim::{PermittedRefusals, Process, Rollout, Subject, Upgrade};
use crate::workload::releases::Releases;
use crate::workload::{Length, Recipe, Rule, Sharing, Workload, rule_named};

/// The name that stands for every right upgrade in every rollout.
pub const NAME: &str = "upgrades";

/// What the new release changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A state has another name, with the old name as an alias.
    RenamesState,
    /// A state is gone. A run whose log names it is refused.
    RemovesState,
    /// The version alone, which the old release accepts as well.
    CanBeUndone,
    /// A mistake: the new release does not accept the old version.
    ForgetsVersion,
    /// A mistake: a task has another name, and so another idempotency key.
    RenamesTask,
    /// A mistake: the undo does nothing for an output of the old release.
    ForgetsUndo,
}

/// The upgrades without a mistake.
const RIGHT: [Change; 3] = [
    Change::RenamesState,
    Change::RemovesState,
    Change::CanBeUndone,
];

/// The upgrades with a mistake.
const MISTAKES: [Change; 3] = [
    Change::ForgetsVersion,
    Change::RenamesTask,
    Change::ForgetsUndo,
];

/// The right upgrades in every rollout.
pub fn all() -> Vec<Workload> {
    all_under(&Faithful)
}

/// The right upgrades in every rollout. The engine of the new release breaks `rule`.
pub fn mutants(rule: Rule) -> Vec<Workload> {
    let mut mutants = all_under(&Without(rule));
    for mutant in &mut mutants {
        mutant.name = format!("{}~{rule:?}", mutant.name);
    }
    mutants
}

/// The upgrade with this name, right or with a mistake. Its name says the rollout, and the rule that a
/// mutant breaks.
pub fn named(name: &str) -> Option<Workload> {
    let workloads = match name.split_once('~') {
        Some((_, rule)) => mutants(rule_named(rule)?),
        None => {
            let mistakes = MISTAKES.into_iter().flat_map(Change::in_every_rollout);
            let mistakes = mistakes.map(|(change, rollout)| change.under(Faithful, rollout));
            all().into_iter().chain(mistakes).collect()
        }
    };
    workloads.into_iter().find(|workload| workload.name == name)
}

fn all_under<R: Rules>(rules: &R) -> Vec<Workload> {
    let each = RIGHT.into_iter().flat_map(Change::in_every_rollout);
    let workloads = each.map(|(change, rollout)| change.under(rules.clone(), rollout));
    workloads.collect()
}

impl Change {
    /// The name of the upgrade, and a line about it.
    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::RenamesState => ("upgrade-renames-state", "upgrade, renames a state"),
            Self::RemovesState => ("upgrade-removes-state", "upgrade, refuses some runs"),
            Self::CanBeUndone => ("upgrade-can-be-undone", "upgrade, and back"),
            Self::ForgetsVersion => ("upgrade-forgets-version", "upgrade, refuses every run"),
            Self::RenamesTask => ("upgrade-renames-task", "upgrade, renames a task"),
            Self::ForgetsUndo => ("upgrade-forgets-undo", "upgrade, undoes no old charge"),
        }
    }

    /// The refusals that it permits.
    fn permitted(self) -> PermittedRefusals {
        let states: &[&str] = match self {
            // The log of a run in these states names what the new release lacks.
            Self::RemovesState | Self::RenamesTask => &["Pack", "Ship", "Shipped"],
            Self::RenamesState | Self::CanBeUndone | Self::ForgetsVersion | Self::ForgetsUndo => {
                &[]
            }
        };
        PermittedRefusals {
            states: states.iter().map(|state| (*state).to_owned()).collect(),
            carries_back: self == Self::CanBeUndone,
        }
    }

    fn in_every_rollout(self) -> impl Iterator<Item = (Self, Rollout)> {
        Rollout::ALL.into_iter().map(move |rollout| (self, rollout))
    }

    /// The upgrade in a rollout. The engine of its new release keeps these rules.
    fn under<R: Rules>(self, rules: R, rollout: Rollout) -> Workload {
        let old = self.old().recipe().under(Faithful);
        let new = match self {
            Self::RenamesState => second(RENAMED).recipe().under(rules),
            Self::RemovesState => second(REMOVED).recipe().under(rules),
            Self::CanBeUndone | Self::ForgetsVersion | Self::RenamesTask | Self::ForgetsUndo => {
                self.same_states().recipe().under(rules)
            }
        };
        let (of_old, of_new) = (old.subject, new.subject);
        let (name, about) = self.name();
        Workload {
            name: format!("{name}-{rollout}"),
            about,
            subject: Box::new(move || {
                let releases = Releases {
                    old: of_old(),
                    new: of_new(),
                    rollout,
                };
                Arc::new(releases) as Arc<dyn Subject>
            }),
            upgrade: Some(Upgrade {
                definition: new.definition,
                rollout,
                permitted: Some(self.permitted()),
            }),
            ..old
        }
    }

    fn old(self) -> Order<First> {
        let accepts = match self {
            Self::CanBeUndone => vec![2],
            _ => Vec::new(),
        };
        Order {
            version: 1,
            accepts,
            states: FIRST,
            charge: "charge",
            oldest_undone: 1,
        }
    }

    /// The new release, if its states are those of the old.
    fn same_states(self) -> Order<First> {
        let new = second(FIRST);
        match self {
            Self::ForgetsVersion => Order {
                accepts: Vec::new(),
                ..new
            },
            Self::RenamesTask => Order {
                charge: "bill",
                ..new
            },
            Self::ForgetsUndo => Order {
                oldest_undone: 2,
                ..new
            },
            Self::RenamesState | Self::RemovesState | Self::CanBeUndone => new,
        }
    }
}

/// The states of an order.
#[derive(Debug, Clone, Copy)]
struct States<S> {
    charge: S,
    pack: Option<S>,
    ship: S,
    shipped: S,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum First {
    Charge,
    Pack,
    Ship,
    Shipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Renamed {
    Charge,
    #[state(alias = "Pack")]
    Wrap,
    Ship,
    Shipped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Removed {
    Charge,
    Ship,
    Shipped,
}

const FIRST: States<First> = States {
    charge: First::Charge,
    pack: Some(First::Pack),
    ship: First::Ship,
    shipped: First::Shipped,
};

const RENAMED: States<Renamed> = States {
    charge: Renamed::Charge,
    pack: Some(Renamed::Wrap),
    ship: Renamed::Ship,
    shipped: Renamed::Shipped,
};

const REMOVED: States<Removed> = States {
    charge: Removed::Charge,
    pack: None,
    ship: Removed::Ship,
    shipped: Removed::Shipped,
};

/// A release: charge, pack and ship. The charge and the shipping have an undo each.
#[derive(Debug, Clone)]
struct Order<S> {
    version: u32,
    accepts: Vec<u32>,
    states: States<S>,
    /// The name of the first task.
    charge: &'static str,
    /// The oldest version whose outputs the undos undo.
    oldest_undone: u32,
}

/// Version 2 over these states, which accepts runs of version 1.
fn second<S>(states: States<S>) -> Order<S> {
    Order {
        version: 2,
        accepts: vec![1],
        states,
        charge: "charge",
        oldest_undone: 1,
    }
}

impl<S: State> Order<S> {
    fn recipe(self) -> Recipe<S> {
        Recipe {
            name: "order",
            about: "a release of an order",
            start: self.states.charge,
            workflow: Arc::new(move |process: &Process| self.workflow(process)),
            input: json!(null),
            retention: Retention::Keep,
            sharing: Sharing::Shared,
            retry_stuck: false,
            length: Length::Long,
        }
    }

    fn workflow(&self, process: &Process) -> Workflow<S> {
        let States {
            charge,
            pack,
            ship,
            shipped,
        } = self.states;
        let act = |effect, next| Act {
            process: process.clone(),
            effect,
            next,
            version: self.version,
            oldest_undone: self.oldest_undone,
        };
        let after_charge = pack.unwrap_or(ship);
        let mut builder = Workflow::builder("order", self.version)
            .accepts(self.accepts.iter().copied())
            .compensatable(charge, self.charge, act("charge the card", after_charge))
            .to([after_charge]);
        if let Some(pack) = pack {
            let process = process.clone();
            let packs = move |ctx: Ctx| {
                let process = process.clone();
                async move {
                    process.effect(&ctx, "pack the goods", "").await;
                    Ok::<_, TaskError>(ship)
                }
            };
            builder = builder.task(pack, "pack", packs).to([ship]);
        }
        let workflow = builder
            .compensatable(ship, "ship", act("ship the parcel", shipped))
            .to([shipped])
            .exit(shipped)
            .build();
        workflow.expect("the workload is well defined")
    }
}

/// A task with an effect and its undo.
struct Act<S> {
    process: Process,
    effect: &'static str,
    next: S,
    version: u32,
    oldest_undone: u32,
}

/// The output of a task.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    version: u32,
}

impl<S: State> CompensatableTask<S> for Act<S> {
    type Output = Receipt;

    async fn run(&self, ctx: Ctx) -> Result<(S, Receipt), TaskError> {
        self.process.effect(&ctx, self.effect, "").await;
        let version = self.version;
        Ok((self.next, Receipt { version }))
    }

    async fn compensate(&self, ctx: Ctx, receipt: Receipt) -> Result<(), TaskError> {
        if receipt.version >= self.oldest_undone {
            let undo = format!("undo: {}", self.effect);
            let receipt = serde_json::to_string(&receipt)?;
            self.process.effect(&ctx, &undo, &receipt).await;
        }
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        let undo = format!("undo: {}", self.effect);
        self.process.effect(&ctx, &undo, "in doubt").await;
        Ok(())
    }
}
