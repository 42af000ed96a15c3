//! What the subcommands take that run one schedule again.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::values::Store;

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
