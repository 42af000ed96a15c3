//! The workloads that a name on the command line stands for.

pub(crate) mod origin;

use crashpoint_simulator::render;
use crashpoint_simulator::workload::{self, Workload};

use crate::arguments::ALL;
use crate::exit::Failure;

/// The workloads of this name, on the engine or on the mutant that breaks the rule `mutant`. `also`
/// lists other valid names for the error message.
pub(crate) fn named(
    name: &str,
    mutant: Option<&str>,
    also: &[&str],
) -> Result<Vec<Workload>, Failure> {
    // Controls are not listed: they are broken on purpose, and asked for by name.
    let control = workload::controls::named(name).filter(|_| mutant.is_none());
    if let Some(control) = control {
        return Ok(vec![control]);
    }
    let (known, suffix) = match mutant.and_then(workload::rule_named) {
        None => (workload::all(), String::new()),
        Some(rule) => (workload::mutants(rule), format!("~{rule:?}")),
    };
    let names = known.iter().map(|workload| workload.name.as_str());
    let names = names.chain(also.iter().copied());
    let names = names.collect::<Vec<_>>().join(", ");
    let full = format!("{name}{suffix}");
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
