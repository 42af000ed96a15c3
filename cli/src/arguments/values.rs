//! Values that several subcommands take: stores, names of workloads, rules.

use clap::ValueEnum;
use crashpoint_simulator::StoreKind;
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
pub(super) fn rule(name: &str) -> Result<String, String> {
    let known = workload::rule_named(name).map(|_| name.to_owned());
    known.ok_or_else(|| {
        let rules = Rule::ALL.chunks(3).map(|rules| {
            let names: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
            format!("\n  {}", names.join(", "))
        });
        let rules: String = rules.collect();
        format!("unknown rule; the rules are{rules}")
    })
}
