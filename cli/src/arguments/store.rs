//! What the subcommands take that look at the file of a store.

use std::path::PathBuf;

use clap::Args;

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
