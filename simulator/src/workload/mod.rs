//! The built-in workloads: workflows of the engine, whose tasks act on the simulated world.

mod campaigns;
pub mod controls;
pub(crate) mod engine_subject;
pub mod generated;
mod import;
mod linear;
mod offer;
mod order;
mod parcel;
pub(crate) mod releases;
mod reminder;
pub mod upgrades;

use std::sync::Arc;

use crashpoint::protocol::{Faithful, Rules, Without};
use crashpoint::{Retention, State};
use serde_json::Value;

use crate::sim::{Lane, Process, Subject};
use crate::workload::engine_subject::{EngineSubject, WorkflowFactory};

pub(crate) use self::campaigns::upgrade_campaigns;
pub use self::campaigns::{CAMPAIGNS, CRASHES_MAX, Campaign, Over, beyond, default_crashes};
pub use crate::sim::{
    ActsOn, CalmEnding, Deadline, Length, OddEnding, Panics, Sharing, WAITS_MAX, Workload,
};
pub use crashpoint::protocol::Rule;

/// The parts of a workload of the engine.
pub struct Recipe<S> {
    /// Its name on the command line: lower case with hyphens.
    pub name: &'static str,
    /// Its description, in one line.
    pub about: &'static str,
    /// Creates the workflow for a process.
    pub workflow: WorkflowFactory<S>,
    /// The first state of a run.
    pub start: S,
    /// The input of a run.
    pub input: Value,
    /// What the engine does with the log of an ended run.
    pub retention: Retention,
    /// How the processes hold the store.
    pub sharing: Sharing,
    /// Whether the operator retries a stuck run.
    pub retry_stuck: bool,
    /// The length of its runs.
    pub length: Length,
}

impl<S: State> Recipe<S> {
    /// The workload, run by an engine under these rules.
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
            also: Vec::new(),
            upgrade: None,
            sharing,
            retry_stuck,
            length,
            echoes: true,
            acts_on: ActsOn::Simulated,
            own_store: None,
            // The workflows of recipes are ours, and panic on purpose.
            panics: Panics::Belong,
            lane: Lane::default(),
            waits_max: WAITS_MAX,
            deadline: None,
            left_out: Arc::default(),
            // And they end as they are meant to.
            accepts: OddEnding::ALL.to_vec(),
            calm: CalmEnding::default(),
        }
    }
}

/// Every workload, run by the engine.
pub fn all() -> Vec<Workload> {
    all_under(Faithful)
}

/// Every workload, run by an engine that breaks `rule`: a mutant that an oracle must catch.
pub fn mutants(rule: Rule) -> Vec<Workload> {
    let mut mutants = all_under(Without(rule));
    for mutant in &mut mutants {
        mutant.name = format!("{}~{rule:?}", mutant.name);
    }
    mutants
}

/// What the name of a workload ends with, before the rule of a mutant, if a tokio runtime is around each
/// of its lives.
#[cfg(feature = "tokio")]
const IN_TOKIO: &str = "-in-tokio";

/// The workload with a tokio runtime around each life. Its name says so: `order-in-tokio`.
///
/// ```
/// use crashpoint_simulator::{Lane, workload};
///
/// let order = workload::in_tokio(workload::named("order").expect("it is built in"));
/// assert_eq!(order.name, "order-in-tokio");
/// assert_eq!(order.lane, Lane::Tokio);
/// assert!(workload::named("order-in-tokio~FencedStops").is_some());
/// ```
#[cfg(feature = "tokio")]
pub fn in_tokio(workload: Workload) -> Workload {
    let name = match workload.name.split_once('~') {
        None => format!("{}{IN_TOKIO}", workload.name),
        Some((name, rule)) => format!("{name}{IN_TOKIO}~{rule}"),
    };
    Workload {
        name,
        lane: Lane::Tokio,
        ..workload
    }
}

/// The workload with this name; mutants, [controls], [upgrades] and those in tokio included.
pub fn named(name: &str) -> Option<Workload> {
    #[cfg(feature = "tokio")]
    {
        let (base, rule) = match name.split_once('~') {
            None => (name, String::new()),
            Some((base, rule)) => (base, format!("~{rule}")),
        };
        if let Some(own) = base.strip_suffix(IN_TOKIO) {
            return named_on_own_lane(&format!("{own}{rule}")).map(in_tokio);
        }
    }
    named_on_own_lane(name)
}

fn named_on_own_lane(name: &str) -> Option<Workload> {
    if let Some(found) = controls::named(name).or_else(|| upgrades::named(name)) {
        return Some(found);
    }
    let workloads = match name.split_once('~') {
        None => all(),
        Some((_, rule)) => mutants(rule_named(rule)?),
    };
    workloads.into_iter().find(|workload| workload.name == name)
}

/// The rule with this name, such as `RollbackIsJournaled`.
pub fn rule_named(name: &str) -> Option<Rule> {
    Rule::ALL
        .iter()
        .copied()
        .find(|rule| format!("{rule:?}") == name)
}

/// Every workload, run by an engine under other rules, for mutants.
pub fn all_under<R: Rules>(rules: R) -> Vec<Workload> {
    let mut workloads = vec![linear::recipe().under(rules.clone())];
    workloads.extend(order::recipes().map(|recipe| recipe.under(rules.clone())));
    workloads.push(import::recipe().under(rules.clone()));
    workloads.push(offer::workload(rules.clone()));
    workloads.push(reminder::recipe().under(rules.clone()));
    workloads.push(parcel::recipe().under(rules));
    workloads
}

impl<S> std::fmt::Debug for Recipe<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
