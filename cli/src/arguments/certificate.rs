//! Arguments of `certify` and `report`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::Args;

use crate::arguments::values::Store;

#[derive(Debug, Args)]
pub(crate) struct CertifyArguments {
    /// The store to test.
    #[arg(long, value_enum, value_name = "STORE")]
    pub(crate) store: Store,
    /// Folder for the files of the store, a fresh subfolder for each law. The tests then cover its file
    /// system as well. Default: the system's temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    #[arg(long, help = jobs_help(), value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// Laws for each core: most of them wait for the disk. On a slow one, with two cores, the embedded
/// store took 198 s with one law at a time, 62 s with 4 and 44 s with 8.
const JOBS_FOR_EACH_CORE: NonZeroUsize = NonZeroUsize::new(8).expect("8 is not zero");

/// What `--jobs` says of its default.
fn jobs_help() -> String {
    format!(
        "Number of laws to run at a time. Default: {JOBS_FOR_EACH_CORE} per core, since most wait for the \
         disk"
    )
}

impl CertifyArguments {
    /// The number of laws to run at a time.
    pub(crate) fn jobs(&self) -> NonZeroUsize {
        let default = || {
            let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            cores.saturating_mul(JOBS_FOR_EACH_CORE)
        };
        self.jobs.unwrap_or_else(default)
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Result files that tests left behind, or folders with them. Default: the file that
    /// `CRASHPOINT_REPORT` names, or target/crashpoint in this folder or above.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) files: Vec<PathBuf>,
    /// Also print what has changed since an earlier certificate: the JSON of `report` or `certify`, or result
    /// files.
    #[arg(long, value_name = "OLD")]
    pub(crate) against: Option<PathBuf>,
    /// Also print what differs between the certificates, in a table with a column for each.
    #[arg(long, conflicts_with = "json")]
    pub(crate) beside: bool,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

/// How certificates are printed and written.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// Print one JSON object instead of a table.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// Print Markdown instead of a table.
    #[arg(long)]
    pub(crate) markdown: bool,
    /// List every law, not only those that did not pass.
    #[arg(long)]
    pub(crate) laws: bool,
    /// Also write one self-contained HTML page.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Also write a badge, an SVG picture; of several certificates it shows the lowest.
    #[arg(long, value_name = "FILE")]
    pub(crate) badge: Option<PathBuf>,
    /// Also write the verdicts as `junit` XML for build servers, a test case for each law.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}
