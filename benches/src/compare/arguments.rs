//! The arguments of the program.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::peers::Peer;

/// Measures checkpoint stores side by side on one disk.
#[derive(Debug, Parser)]
#[command(name = "compare")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every writer appends rows to a run of its own.
    Append(Comparing),
    /// Every writer appends 24 rows to a run, clears it, and begins another.
    Lifecycle(Comparing),
    /// Every reader loads runs of 24 rows.
    Load(Comparing),
    /// A store with many runs is opened.
    Reopen(Reopening),
    /// A workflow takes transitions without a disk.
    Transition(Common),
    /// Appends and clears runs in the embedded store, and prints the length of its file.
    Churn(Churning),
    /// Writers, readers, clears, SIGKILL and reopenings on the embedded store.
    Soak(Soaking),
    /// The process that is killed.
    #[command(hide = true)]
    SoakChild(SoakChild),
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// The folder in which files are made, and removed in the end.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Measure even where the folder is in memory, and so no disk is measured.
    #[arg(long)]
    pub(crate) allow_tmpfs: bool,
    /// Draw rows a second against writers into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Comparing {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Which stores, in this order.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Peer::all())]
    pub(crate) subjects: Vec<Peer>,
    /// How many at a time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64, 256])]
    pub(crate) writers: Vec<usize>,
    /// How often each has its turn; odd, so that there is a median.
    #[arg(long, default_value_t = 15)]
    pub(crate) rounds: usize,
    /// How long a turn is: short, so that whatever disturbs the machine disturbs neighbours alike.
    #[arg(long, default_value = "300ms", value_parser = humantime::parse_duration)]
    pub(crate) turn: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Reopening {
    #[command(flatten)]
    pub(crate) comparing: Comparing,
    /// How many runs of one row the store has.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) runs: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Churning {
    /// How many runs of three rows are cleared in all.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) runs: u64,
    /// Fail where the file gets longer than this.
    #[arg(long, value_name = "BYTES", default_value_t = 32 << 20)]
    pub(crate) bytes_max: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Soaking {
    /// How long.
    #[arg(long = "for", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) duration: Duration,
    /// Kill the child so often, and end then.
    #[arg(long, value_name = "N")]
    pub(crate) kills: Option<u64>,
    /// Fail where the file gets longer than this.
    #[arg(long, value_name = "BYTES", default_value_t = 128 << 20)]
    pub(crate) bytes_max: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct SoakChild {
    #[arg(long)]
    pub(crate) file: PathBuf,
    /// The children before it. Its runs differ from theirs by this.
    #[arg(long)]
    pub(crate) process: u64,
}
