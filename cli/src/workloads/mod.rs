//! The workloads that a name on the command line stands for.

pub(crate) mod origin;

use std::sync::Arc;

use crashpoint_simulator::operations::{self, Broken};
use crashpoint_simulator::workload::{self, Workload, upgrades};
use crashpoint_simulator::{Operations, Simulated as _, render};

use crate::arguments::{ALL, Lane};
use crate::exit::Failure;

/// What an exploration has a row for.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A workload.
    Workload(Arc<Workload>),
    /// The engine's operations over several runs.
    Operations(Operations),
}

impl Subject {
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Workload(workload) => workload.name.clone(),
            Self::Operations(operations) => operations.name(),
        }
    }

    /// Whether it is an upgrade of a workflow.
    pub(crate) fn is_upgrade(&self) -> bool {
        matches!(self, Self::Workload(workload) if workload.upgrade.is_some())
    }

    /// A line about it.
    pub(crate) fn about(&self) -> &'static str {
        match self {
            Self::Workload(workload) => workload.about,
            Self::Operations(_) => operations::ABOUT,
        }
    }
}

/// The subjects of this name: workloads, upgrades, operations, or all of them. They run on the engine, or
/// on a mutant that breaks a rule or an operation.
pub(crate) fn subjects(
    name: &str,
    mutant: Option<&str>,
    lane: Lane,
) -> Result<Vec<Subject>, Failure> {
    let broken = mutant.and_then(Broken::named);
    let are_operations = name == operations::NAME && (mutant.is_none() || broken.is_some());
    if are_operations || (name == ALL && broken.is_some()) {
        return Ok(vec![Subject::Operations(Operations(broken))]);
    }
    if let Some(broken) = broken {
        return Err(no_operation_of(name, &broken.to_string()));
    }
    let also: &[&str] = match mutant {
        None => &[operations::NAME],
        Some(_) => &[],
    };
    let in_lane = |workload| match lane {
        Lane::Own => workload,
        Lane::Tokio => workload::in_tokio(workload),
    };
    let mut workloads = named(name, mutant, also)?;
    if name == ALL && mutant.is_none() {
        workloads.extend(upgrades::all());
    }
    let workloads = workloads.into_iter().map(in_lane);
    let workloads = workloads.map(Arc::new);
    let mut subjects: Vec<Subject> = workloads.map(Subject::Workload).collect();
    if name == ALL && mutant.is_none() {
        subjects.push(Subject::Operations(Operations(None)));
    }
    Ok(subjects)
}

/// A broken operation was asked for in a workload that has no operations.
pub(crate) fn no_operation_of(name: &str, broken: &str) -> Failure {
    let unknown = render::escaped(&format!("{name}~{broken}"));
    let names = [ALL, operations::NAME].join(", ");
    Failure::Usage(format!(
        "unknown workload {unknown}; the workloads are {names}"
    ))
}

/// The workloads of this name, on the engine or on the mutant that breaks the rule `mutant`. `also`
/// lists other valid names for the error message.
pub(crate) fn named(
    name: &str,
    mutant: Option<&str>,
    also: &[&str],
) -> Result<Vec<Workload>, Failure> {
    let rule = mutant.and_then(workload::rule_named);
    if name == upgrades::NAME {
        return Ok(rule.map_or_else(upgrades::all, upgrades::mutants));
    }
    let (known, suffix) = match rule {
        None => (workload::all(), String::new()),
        Some(rule) => (workload::mutants(rule), format!("~{rule:?}")),
    };
    let full = format!("{name}{suffix}");
    // Controls are not listed: they are broken on purpose, and asked for by name. So is an upgrade in one
    // rollout.
    let control = workload::controls::named(name).filter(|_| mutant.is_none());
    if let Some(single) = control.or_else(|| upgrades::named(&full)) {
        return Ok(vec![single]);
    }
    let names = known.iter().map(|workload| workload.name.as_str());
    let names = names.chain([upgrades::NAME]).chain(also.iter().copied());
    let names = names.collect::<Vec<_>>().join(", ");
    let is_chosen = |workload: &Workload| name == ALL || workload.name == full;
    let chosen: Vec<Workload> = known.into_iter().filter(is_chosen).collect();
    if chosen.is_empty() {
        let unknown = render::escaped(&full);
        return Err(Failure::Usage(format!(
            "unknown workload {unknown}; the workloads are {ALL}, {names}"
        )));
    }
    Ok(chosen)
}
