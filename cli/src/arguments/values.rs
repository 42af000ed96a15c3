//! Values that several subcommands take: stores, names of workloads, rules.

use clap::ValueEnum;
use crashpoint_simulator::StoreKind;
use crashpoint_simulator::operations::{BROKEN, Broken};
use crashpoint_simulator::workload::{self, Rule};

/// The name that stands for every workload.
pub(crate) const ALL: &str = "all";

/// The name that stands for random workflows.
pub(crate) const GENERATED: &str = "generated";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// Rows in memory. They survive every crash.
    Memory,
    /// The embedded store on a simulated disk. Each change of the disk is a crash point too, and a
    /// crash may be a power loss.
    Redb,
}

/// What is around the tasks of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lane {
    /// Nothing: tasks wait through their `Ctx`.
    Own,
    /// A tokio runtime for each life, with a paused clock. The name of each workload ends with `-in-tokio`.
    Tokio,
}

impl Store {
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::Redb];

    /// The default number of crashes per schedule.
    pub(crate) fn crashes(self) -> u32 {
        workload::default_crashes(self.kind())
    }

    pub(crate) fn kind(self) -> StoreKind {
        match self {
            Self::Memory => StoreKind::Memory,
            Self::Redb => StoreKind::Redb,
        }
    }
}

/// Checks that a rule has this name.
fn rule(name: &str) -> Result<String, String> {
    let known = workload::rule_named(name).map(|_| name.to_owned());
    known.ok_or_else(|| format!("unknown rule; the rules are{}", rules()))
}

/// Checks that a rule or a broken operation has this name.
pub(super) fn rule_or_operation(name: &str) -> Result<String, String> {
    if Broken::named(name).is_some() {
        return Ok(name.to_owned());
    }
    rule(name).map_err(|unknown| {
        let operations = BROKEN.iter().map(|(broken, _)| broken.to_string());
        let operations = three_a_line(operations);
        format!("{unknown}\nthe broken operations are{operations}")
    })
}

fn rules() -> String {
    three_a_line(Rule::ALL.iter().map(|rule| format!("{rule:?}")))
}

/// Names with commas, three on each line.
fn three_a_line(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let lines = names.chunks(3);
    lines
        .map(|names| format!("\n  {}", names.join(", ")))
        .collect()
}
