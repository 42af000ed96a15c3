//! What `certify` and `report` take.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use crate::arguments::values::Store;

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
