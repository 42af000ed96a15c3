//! Values that several subcommands take.

use clap::ValueEnum;
use crashpoint_simulator::StoreKind;
use crashpoint_simulator::workload::{self, Rule};

/// The name that stands for every workload.
pub(crate) const ALL: &str = "all";

/// The name that stands for drawn workflows.
pub(crate) const GENERATED: &str = "generated";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// Rows in memory, which survive every crash.
    Memory,
    /// The embedded store on a simulated disk: each change of the disk is a crash point as well, and
    /// a crash may take the power.
    Redb,
}

impl Store {
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::Redb];

    /// How many crashes a schedule over this store has where nobody says: what ends within a minute.
    pub(crate) fn crashes(self) -> u32 {
        match self {
            Self::Memory => 2,
            Self::Redb => 1,
        }
    }

    pub(crate) fn kind(self) -> StoreKind {
        match self {
            Self::Memory => StoreKind::Memory,
            Self::Redb => StoreKind::Redb,
        }
    }
}

/// Checks the name of a rule.
pub(super) fn rule(name: &str) -> Result<String, String> {
    let known = workload::rule_named(name).map(|_| name.to_owned());
    known.ok_or_else(|| {
        let rules = Rule::ALL.chunks(3).map(|rules| {
            let names: Vec<String> = rules.iter().map(|rule| format!("{rule:?}")).collect();
            format!("\n  {}", names.join(", "))
        });
        let rules: String = rules.collect();
        format!("there is no rule of this name; there are{rules}")
    })
}
