//! The command `crashpoint`: explores the built-in workloads under crashes, and replays what it
//! found.
//!
//! This crate alone knows terminals: arguments, progress, tables, exit codes.

mod explore;
mod progress;
mod replay;
mod report;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use crashpoint_simulator::StoreKind;
use crashpoint_simulator::workload::{self, Rule};

/// Nothing was violated.
const CLEAN: u8 = 0;
/// Something was violated.
const VIOLATED: u8 = 1;
/// The command was called wrongly.
const USAGE: u8 = 2;

/// Crashes workflows at every point, and says what came of it.
///
/// Without a subcommand every workload is explored over every store with up to two crashes.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every schedule of workloads, within bounds, and ask the oracles about each.
    Explore(ExploreArguments),
    /// Run one schedule again and tell its story.
    Replay {
        /// What `explore` printed beside the violation.
        token: String,
    },
}

#[derive(Debug, Args)]
struct ExploreArguments {
    /// The workload to explore; `all` for every one.
    #[arg(long, value_name = "NAME", default_value = ALL)]
    workload: String,
    /// The stores under the engine, one after the other.
    #[arg(long, value_enum, value_name = "STORE", value_delimiter = ',', default_values_t = Store::ALL)]
    store: Vec<Store>,
    /// How many crashes a schedule may have.
    #[arg(long, value_name = "0..=3", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=3))]
    crashes: u32,
    /// Break this rule of the engine on purpose, to see that it is noticed.
    #[arg(long, value_name = "RULE", value_parser = rule)]
    mutant: Option<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How many threads explore; one for each core without this. The result does not depend on it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// The name that stands for every workload.
const ALL: &str = "all";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    /// Rows in memory, which survive every crash.
    Memory,
    /// The embedded store on a simulated disk: each change of the disk is a crash point as well, and
    /// a crash may take the power.
    Redb,
}

impl Store {
    const ALL: [Self; 2] = [Self::Memory, Self::Redb];

    fn kind(self) -> StoreKind {
        match self {
            Self::Memory => StoreKind::Memory,
            Self::Redb => StoreKind::Redb,
        }
    }
}

impl Default for ExploreArguments {
    fn default() -> Self {
        let (workload, store) = (ALL.to_owned(), Store::ALL.to_vec());
        let (crashes, mutant, json, jobs) = (2, None, false, None);
        Self {
            workload,
            store,
            crashes,
            mutant,
            json,
            jobs,
        }
    }
}

/// Checks the name of a rule.
fn rule(name: &str) -> Result<String, String> {
    let known = workload::rule_named(name).map(|_| name.to_owned());
    known.ok_or_else(|| format!("there is no rule of this name; there are {:?}", Rule::ALL))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments
        .command
        .unwrap_or(Command::Explore(ExploreArguments::default()));
    let mut out = io::stdout().lock();
    let done = match command {
        Command::Explore(arguments) => explore::run(&arguments, &mut out),
        Command::Replay { token } => replay::run(&token, &mut out),
    };
    let code = match done.and_then(|code| out.flush().map(|()| code).map_err(Failure::from)) {
        Ok(code) => code,
        // Whoever read us has gone: there is nobody to tell.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => CLEAN,
        Err(failure) => {
            // Nothing is left to be done where standard error is gone as well.
            _ = writeln!(io::stderr(), "error: {failure}");
            USAGE
        }
    };
    ExitCode::from(code)
}

/// Why the command could not do what it was asked for.
#[derive(Debug)]
enum Failure {
    Usage(String),
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Output(error) => write!(f, "can't write the output: {error}"),
        }
    }
}
