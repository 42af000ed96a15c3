//! What the command can be asked for.

mod certificate;
mod explore;
mod recording;
mod soak;
mod store;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use certificate::{CertifyArguments, ReportArguments, Shape};
pub(crate) use explore::{ExploreArguments, VacuityArguments};
pub(crate) use recording::{ExplainArguments, ReplayArguments, ShrinkArguments, Which};
pub(crate) use soak::SoakArguments;
pub(crate) use store::{RunsArguments, ShowArguments, StoredArguments};
pub(crate) use values::{ALL, GENERATED, Store};

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
