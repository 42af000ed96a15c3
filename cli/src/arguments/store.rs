//! Arguments of the subcommands on the file of a store: `doctor`, `export`, `runs`, `show` and `probe`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct StoredArguments {
    /// The file of the store. No process may have it open.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArguments {
    #[command(flatten)]
    pub(crate) stored: StoredArguments,
    /// Compute ages at this time, in milliseconds since 1970-01-01 UTC. Default: now.
    #[arg(long, value_name = "UNIX_MS")]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    pub(crate) stored: StoredArguments,
    /// The id of the run.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The file of the store. No process may have it open.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Leave out runs that are done or rolled back.
    #[arg(long)]
    pub(crate) unfinished: bool,
    /// Leave out inputs, outputs, cursors and messages of errors. Ids, states, tasks and times stay.
    #[arg(long)]
    pub(crate) redact: bool,
}
