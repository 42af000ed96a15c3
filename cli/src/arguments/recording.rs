//! Arguments of the subcommands that run one schedule again: `replay`, `explain` and `shrink`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::values::Store;

/// Identifies the schedule to run again.
#[derive(Debug, Args)]
pub(crate) struct RecordingArguments {
    /// A token, as printed beside a violation, or the file of a tape.
    #[arg(
        value_name = "TOKEN|FILE",
        required_unless_present = "schedule",
        conflicts_with = "schedule"
    )]
    pub(crate) recording: Option<String>,
    /// Instead of a recording, a schedule: `at life1/append#3:before: crash`. Separate faults with a semicolon or a new line. With
    /// the workload `operations`, begin with `v1; run purge; run status=open`.
    #[arg(long, value_name = "SCHEDULE", requires = "workload")]
    pub(crate) schedule: Option<String>,
    /// The workload of --schedule. Append `~RULE` to run it on a mutant of the engine that breaks the
    /// rule.
    #[arg(long, value_name = "NAME", requires = "schedule")]
    pub(crate) workload: Option<String>,
    /// The store of --schedule. Default: memory.
    #[arg(long, value_enum, value_name = "STORE", requires = "schedule")]
    pub(crate) store: Option<Store>,
}

#[derive(Debug, Args)]
pub(crate) struct ShrinkArguments {
    #[command(flatten)]
    pub(crate) which: RecordingArguments,
    /// Write the smaller tape to this file. Default: no file, unless the tape is too long for a token.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The oracle that must still fail. Default: the oracle whose promise broke first.
    #[arg(long, value_name = "ORACLE")]
    pub(crate) oracle: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) which: RecordingArguments,
    /// Print every event on its own line: position, life, kind, and KEY=VALUE fields.
    #[arg(long)]
    pub(crate) trace: bool,
    /// Step through the events: log, effects, world, clock and what each life knows after each. Reads lines: `n`, `p`, the
    /// number of an event, `b` for the event at which a promise breaks, `q`.
    #[arg(long, conflicts_with = "trace")]
    pub(crate) step: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    pub(crate) which: RecordingArguments,
    /// Write one self-contained HTML page instead of printing the explanation.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}
