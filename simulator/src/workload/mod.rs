//! What is explored: workflows of the engine's with tasks that act on the simulated world.

pub mod controls;
pub(crate) mod engine_subject;
pub mod generated;
mod import;
mod linear;
mod order;

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Rules, Without};
use crashpoint::{Retention, State};
use serde_json::Value;

use crate::fault::Budget;
use crate::sim::{Lane, Process, StoreKind, Subject};
use crate::workload::engine_subject::{EngineSubject, WorkflowFactory};

pub use crate::sim::{ActsOn, Length, Panics, Sharing, Workload};
pub use crashpoint::protocol::Rule;

/// What a workload of the engine's is made of.
pub struct Recipe<S> {
    /// Its name on the command line; lower case with hyphens.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// Makes the workflow for a process.
    pub workflow: WorkflowFactory<S>,
    /// Where a run begins.
    pub start: S,
    /// The input of a run.
    pub input: Value,
    /// What becomes of the log of an ended run.
    pub retention: Retention,
    /// How the processes hold the store.
    pub sharing: Sharing,
    /// Whether the operator tries again what could not be undone.
    pub retry_stuck: bool,
    /// How long its runs are.
    pub length: Length,
}

impl<S: State> Recipe<S> {
    /// The workload, as an engine under these rules runs it.
    pub fn under<R: Rules>(self, rules: R) -> Workload {
        let definition = (self.workflow)(&Process::detached()).definition().clone();
        let Self {
            name,
            about,
            workflow,
            start,
            input,
            retention,
            sharing,
            retry_stuck,
            length,
        } = self;
        let subject = Box::new(move || {
            let (workflow, input, rules) = (Arc::clone(&workflow), input.clone(), rules.clone());
            let subject = EngineSubject {
                workflow,
                start,
                input,
                retention,
                rules,
            };
            Arc::new(subject) as Arc<dyn Subject>
        });
        Workload {
            name: name.to_owned(),
            about,
            subject,
            definition,
            sharing,
            retry_stuck,
            length,
            echoes: true,
            acts_on: ActsOn::Simulated,
            // The workflows of a recipe are ours, and panic where they mean to.
            panics: Panics::Belong,
            lane: Lane::default(),
        }
    }
}

/// Every workload, as the engine runs it.
pub fn all() -> Vec<Workload> {
    all_under(Faithful)
}

/// Every workload, as an engine that breaks `rule` runs it: a mutant that an oracle must catch.
pub fn mutants(rule: Rule) -> Vec<Workload> {
    let mut mutants = all_under(Without(rule));
    for mutant in &mut mutants {
        mutant.name = format!("{}~{rule:?}", mutant.name);
    }
    mutants
}

/// The workload of this name, mutants and [controls] included.
pub fn named(name: &str) -> Option<Workload> {
    if let Some(control) = controls::named(name) {
        return Some(control);
    }
    let workloads = match name.split_once('~') {
        None => all(),
        Some((_, rule)) => mutants(rule_named(rule)?),
    };
    workloads.into_iter().find(|workload| workload.name == name)
}

/// The rule of this name, such as `RollbackIsJournaled`.
pub fn rule_named(name: &str) -> Option<Rule> {
    Rule::ALL
        .iter()
        .copied()
        .find(|rule| format!("{rule:?}") == name)
}

/// Every workload, as an engine under other rules runs it: for mutants.
pub fn all_under<R: Rules>(rules: R) -> Vec<Workload> {
    let mut workloads = vec![linear::recipe().under(rules.clone())];
    workloads.extend(order::recipes().map(|recipe| recipe.under(rules.clone())));
    workloads.push(import::recipe().under(rules));
    workloads
}

impl Workload {
    /// What is explored of this workload where schedules may have up to `crashes` crashes: those
    /// crashes alone; a fault of the store, a cancellation or a rival life with up to one crash; a
    /// rival life with a fault of the store; one with two more switches between the two; two rival
    /// lives, so that there are three at once, with one more switch where the workload is
    /// [short](Self::is_short) enough for that; and a jump of a clock.
    ///
    /// Over a disk a crash has many more instants, nearly all of them inside an operation of the
    /// store. What else goes wrong does so between two operations; there it comes alone. A fault of
    /// the disk does so too, and where the workload is short, since a loss of power may keep a hundred
    /// different things.
    pub fn campaigns(&self, store: StoreKind, crashes: u32) -> Vec<Budget> {
        let none = Budget::default();
        let mut campaigns = vec![Budget { crashes, ..none }];
        if crashes == 0 {
            return campaigns;
        }
        let in_memory = store == StoreKind::Memory;
        let one = Budget {
            crashes: u32::from(in_memory),
            ..none
        };
        campaigns.push(Budget { faults: 1, ..one });
        campaigns.push(Budget { errors: 1, ..one });
        campaigns.push(Budget { cancels: 1, ..one });
        campaigns.push(Budget {
            takeovers: 1,
            ..one
        });
        if in_memory {
            campaigns.push(Budget {
                takeovers: 1,
                faults: 1,
                ..none
            });
            campaigns.push(Budget {
                takeovers: 1,
                preemptions: 2,
                ..none
            });
            campaigns.push(Budget {
                takeovers: 2,
                preemptions: u32::from(self.is_short()),
                ..none
            });
            campaigns.push(Budget { jumps: 1, ..none });
        } else if self.is_short() {
            campaigns.push(Budget { disk: 1, ..none });
        }
        campaigns
    }

    /// Whether its length is [`Length::Short`].
    pub fn is_short(&self) -> bool {
        self.length == Length::Short
    }
}

/// What is sampled by seeds beyond the campaigns over this store: everything at once, and more of it.
pub fn beyond(store: StoreKind) -> Budget {
    Budget {
        crashes: 2,
        faults: 2,
        disk: u32::from(store != StoreKind::Memory),
        errors: 2,
        takeovers: 2,
        preemptions: 4,
        cancels: 1,
        jumps: 2,
        breaches: 0,
    }
}

impl<S> std::fmt::Debug for Recipe<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
