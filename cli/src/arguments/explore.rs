//! What `explore` and `vacuity` take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use crashpoint_simulator::Budget;

use crate::arguments::values::{ALL, Store, rule};

#[derive(Debug, Args)]
pub(crate) struct ExploreArguments {
    /// The workload to explore; `all` for every one.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores under the engine, one after the other.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// How many crashes a schedule may have; without this 2 over memory, and 1 over redb, where a
    /// crash has ten times as many instants.
    #[arg(long, value_name = "0..=3", value_parser = clap::value_parser!(u32).range(0..=3))]
    pub(crate) crashes: Option<u32>,
    /// Run every schedule in which so much goes wrong, and no others: `c1d1` is up to one crash and one
    /// fault of the disk. Letters: c crashes, f faults of the store, d of its disk, e errors of tasks, t
    /// takeovers, p switches between lives, x cancellations, j jumps of a clock, b breaches of the
    /// store's contract.
    #[arg(long, value_name = "BUDGET", conflicts_with = "crashes")]
    pub(crate) within: Option<Budget>,
    /// Break this rule of the engine on purpose, to see that it is noticed.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(crate) mutant: Option<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what was found as one self-contained page as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// How many threads explore; one for each core without this. The result does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

impl Default for ExploreArguments {
    fn default() -> Self {
        Self {
            workload: ALL.to_owned(),
            store: Store::ALL.to_vec(),
            crashes: None,
            within: None,
            mutant: None,
            json: false,
            html: None,
            jobs: None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct VacuityArguments {
    /// The workload to explore; `all` for every one. Any one alone has not every fault.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores under the engine.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// How many threads explore; one for each core without this.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}
