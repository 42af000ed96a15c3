//! What `soak` takes.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::arguments::values::{ALL, Store, rule};

#[derive(Debug, Args)]
pub(crate) struct SoakArguments {
    /// How long: 30s, 10m, 2h; a minute without this and --seeds.
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    /// How many seeds at most, so that the end does not depend on the time.
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<NonZeroU64>,
    /// How many threads; one for each core without this. What a seed finds does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// The first seed; a random one without this.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub(crate) seed: Option<u64>,
    /// Keep the tapes of broken promises in this folder, and run those in it first, the shortest
    /// before all others.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    /// The workload; `generated` for drawn workflows, `all` for these and every workload.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores under the engine.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// Break this rule of the engine on purpose, to see that it is noticed.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    pub(crate) mutant: Option<String>,
}

/// The greatest first seed. No soak is long enough to come from there to the end of the numbers.
const SEED_MAX: u64 = u64::MAX / 2;

/// Reads a time, which is longer than none.
fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it has to be longer than that".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}
