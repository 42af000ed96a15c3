//! Arguments of `soak`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::arguments::values::{ALL, Store, rule_or_operation};

#[derive(Debug, Args)]
pub(crate) struct SoakArguments {
    #[arg(long = "for", help = time_help(), value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,
    /// Maximum number of seeds. With this alone the end does not depend on time.
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<NonZeroU64>,
    /// Number of threads. Default: one per core. What a seed finds does not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// The first seed. Default: a random one, which is printed.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    pub(crate) seed: Option<u64>,
    /// Keep the tapes of violations in this folder, and replay the tapes in it first, shortest first.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,
    /// The workload; `generated` for random workflows, `operations` for operations over several runs, `all`
    /// for all of them.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    pub(crate) workload: String,
    /// The stores to run over, separated by commas.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    pub(crate) store: Vec<Store>,
    /// Run a mutant of the engine that breaks this rule or operation, to see that the oracles catch it.
    #[arg(long, value_name = "RULE", value_parser = rule_or_operation)]
    pub(crate) mutant: Option<String>,
}

/// The time limit if neither a time nor a number of seeds is given.
const TIME: Duration = Duration::from_secs(60);

/// What `--for` says of its default.
fn time_help() -> String {
    let time = humantime::format_duration(TIME);
    format!("How long to run: 30s, 10m, 2h. Default: {time}, unless --seeds is given")
}

impl SoakArguments {
    /// How long to run, unless only the number of seeds limits the soak.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        match (self.time, self.seeds) {
            (None, None) => Some(TIME),
            (time, _) => time,
        }
    }
}

/// The greatest first seed: no soak is long enough to count from there past the largest number.
const SEED_MAX: u64 = u64::MAX / 2;

const _: () = assert!(
    u32::MAX as u64 <= SEED_MAX,
    "a random first seed has 32 bits"
);

/// Parses a time longer than zero.
fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("the time must be longer than zero".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}
