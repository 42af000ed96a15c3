//! Arguments of `explore` and `vacuity`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::{Args, Parser};
use crashpoint_simulator::workload::CRASHES_MAX;
use crashpoint_simulator::{Budget, Group};

use crate::arguments::values::{ALL, Lane, Store, rule_or_operation};

#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    /// The workload to explore, `upgrades` for the upgrades of a workflow, `operations` for the engine's
    /// operations over several runs, or `all`.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores to explore over, separated by commas.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// The runtime around the tasks of workloads. Operations have none.
    #[arg(long, value_enum, value_name = "LANE", default_value_t = Lane::Own)]
    pub(crate) lane: Lane,
    #[arg(long, help = crashes_help(), value_name = "0..=3", value_parser = crashes())]
    pub(crate) crashes: Option<u32>,
    #[arg(long, help = within_help(), value_name = "BUDGET", conflicts_with = "crashes")]
    pub(crate) within: Option<Budget>,
    /// Run a mutant of the engine that breaks this rule, or break this operation, to see that the
    /// oracles catch it.
    #[arg(long, value_name = "RULE", value_parser = rule_or_operation)]
    pub(crate) mutant: Option<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write the findings as one self-contained HTML page.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Number of threads. Default: one per core. The result does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

const _: () = assert!(
    CRASHES_MAX == 3,
    "`--crashes` has the name 0..=3 for its value"
);

/// The crashes that the library's campaigns may have.
fn crashes() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=i64::from(CRASHES_MAX))
}

/// What `--within` says of the text of a budget.
fn within_help() -> String {
    format!(
        "Run exactly the schedules within this fault budget: `c1d1` allows one crash and one fault of \
         the disk. Letters: {}",
        Group::letters()
    )
}

/// What `--crashes` says of its defaults.
fn crashes_help() -> String {
    let [memory, redb] = [Store::Memory, Store::Redb].map(Store::crashes);
    format!(
        "Maximum crashes per schedule. Default: {memory} over memory, {redb} over redb, which has ten \
         times as many crash points"
    )
}

/// `explore` without arguments.
#[derive(Debug, Parser)]
struct Alone {
    #[command(flatten)]
    arguments: ExploreArguments,
}

impl Default for ExploreArguments {
    fn default() -> Self {
        Alone::parse_from(["explore"]).arguments
    }
}

#[derive(Debug, Args)]
pub(crate) struct VacuityArguments {
    /// The workload to explore, or `all`. No single workload reaches every fault.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores to explore over, separated by commas.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// Number of threads. Default: one per core.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}
