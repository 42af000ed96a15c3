//! What the command can be asked for.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use crashpoint_simulator::workload::{self, Rule};
use crashpoint_simulator::{Budget, StoreKind};

/// What the exit codes mean.
const EXIT_CODES: &str = "\
Exit codes:
  0    nothing was violated
  1    a safety promise was broken: something happened that never may; a store broke a law
  2    the command was called wrongly
  3    a liveness promise was broken: a run did not end with nothing failing
  4    nondeterminism: a schedule took another course when it was run again
  5    a fault of the command itself, or too little to go by: a crash point or
       a law left out, a line that can't be read, a file not written, a bug
  130  Ctrl-C before everything was explored; nothing was violated until then";

/// What they mean where the file of a store is looked at.
const STORED_EXIT_CODES: &str = "\
Exit codes:
  0    nothing is wrong
  1    the file is damaged, of a newer format or no store, the disk can't read it, or a
       log in it breaks the rules
  2    the command was called wrongly: no such file or run, a folder, no permission, or
       a process has the store open
  5    a fault of the command itself: output not written, a bug";

/// Crashes workflows at every point, and says what came of it.
///
/// Without a subcommand every workload is explored: with up to two crashes over the store in memory,
/// with one over the embedded store.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every schedule of workloads, within bounds, and ask the oracles about each.
    #[command(after_help = EXIT_CODES)]
    Explore(ExploreArguments),
    /// Run random schedules until the time is over: of the workloads and of drawn workflows, with
    /// whatever faults each seed draws.
    #[command(after_help = EXIT_CODES)]
    Soak(SoakArguments),
    /// Make a schedule that breaks a promise as small as it gets.
    #[command(after_help = EXIT_CODES)]
    Shrink(ShrinkArguments),
    /// Run one schedule again and tell what happened.
    #[command(after_help = EXIT_CODES)]
    Replay(ReplayArguments),
    /// Tell the story of one schedule: which promise broke first, and where; or write it as a page.
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainArguments),
    /// Show that the instruments work: every fault fires, every crash point is reached, every oracle
    /// objects to a mutant. Whatever does not is named, and exits with 5.
    #[command(after_help = EXIT_CODES)]
    Vacuity(VacuityArguments),
    /// Hold a store that we ship against every law of the conformance kit.
    #[command(after_help = EXIT_CODES)]
    Certify(CertifyArguments),
    /// Merge what the conformance kit's tests have left behind to the certificates of their stores.
    #[command(after_help = EXIT_CODES)]
    Report(ReportArguments),
    /// Check the file of an embedded store: every page, and every run's log. It is only read.
    #[command(after_help = STORED_EXIT_CODES)]
    Doctor(StoredArguments),
    /// List the runs of an embedded store: where each stands, its rows, its lives, its age.
    #[command(after_help = STORED_EXIT_CODES)]
    Runs(RunsArguments),
    /// Show the log of a run in an embedded store.
    #[command(after_help = STORED_EXIT_CODES)]
    Show(ShowArguments),
}

impl Default for Command {
    fn default() -> Self {
        Self::Explore(ExploreArguments::default())
    }
}

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

/// The name that stands for every workload.
pub(crate) const ALL: &str = "all";

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

/// The name that stands for drawn workflows.
pub(crate) const GENERATED: &str = "generated";

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

/// Which schedule is run again.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// What was printed beside the violation, or the file of a tape.
    #[arg(
        value_name = "TOKEN|FILE",
        required_unless_present = "schedule",
        conflicts_with = "schedule"
    )]
    pub(crate) recording: Option<String>,
    /// In place of a recording, a schedule in words: `at life1/append#3:before: the process crashes`,
    /// with a semicolon or a new line before the next fault.
    #[arg(long, value_name = "WORDS", requires = "workload")]
    pub(crate) schedule: Option<String>,
    /// The workload of a schedule in words; with `~RULE` behind it, as an engine runs it that breaks
    /// the rule.
    #[arg(long, value_name = "NAME", requires = "schedule")]
    pub(crate) workload: Option<String>,
    /// The store under it; memory without this.
    #[arg(long, value_enum, value_name = "STORE", requires = "schedule")]
    pub(crate) store: Option<Store>,
}

#[derive(Debug, Args)]
pub(crate) struct ShrinkArguments {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write the smaller tape to this file. Without this it is written only where it is too long for
    /// a token.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The oracle that has to object to the smaller one as well; the one whose promise broke first
    /// without this.
    #[arg(long, value_name = "ORACLE")]
    pub(crate) oracle: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Print every event, one a line: its place, its life, what it is, and KEY=VALUE fields.
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write one self-contained page instead of printing the story.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
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

#[derive(Debug, Args)]
pub(crate) struct CertifyArguments {
    /// The store.
    #[arg(long, value_enum, value_name = "STORE")]
    pub(crate) store: Store,
    /// Where the files of the store are while it is tested, a fresh folder for each law: the file
    /// system under them is tested as well. The system's temporary folder without this.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// Run so many laws at a time; without this eight for each core, since most of them wait for
    /// the disk.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) shape: Shape,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The files that tests have left, or folders with them; without any the file that
    /// `CRASHPOINT_REPORT` names, or target/crashpoint, here or above.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) shape: Shape,
}

/// How a certificate is shown.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// Print one JSON object instead of a table.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print Markdown instead of a table.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// List every law, not only those that did not pass.
    #[arg(long)]
    pub(crate) laws: bool,
    /// Write one self-contained page as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write a badge as well, an SVG picture; of several certificates the one that shows least.
    #[arg(long, value_name = "FILE")]
    pub(crate) badge: Option<PathBuf>,
    /// Write the verdicts as XML as well, in the form that build servers know as junit: a test case
    /// for each law.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StoredArguments {
    /// The file of the store, which no process may have open.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    #[command(flatten)]
    pub(crate) stored: StoredArguments,
    /// Ages as of then, in milliseconds since 1970-01-01 UTC; as of now without this.
    #[arg(long, value_name = "UNIX_MS")]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    pub(crate) stored: StoredArguments,
    /// The run.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// Rows in memory, which survive every crash.
    Memory,
    /// The embedded store on a simulated disk: each change of the disk is a crash point as well, and
    /// a crash may take the power.
    Redb,
}

impl Store {
    const ALL: [Self; 2] = [Self::Memory, Self::Redb];

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

/// Reads a time, which is longer than none.
fn time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it has to be longer than that".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// Checks the name of a rule.
fn rule(name: &str) -> Result<String, String> {
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
