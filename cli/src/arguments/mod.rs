//! The arguments of the command, a file for each group of subcommands.

mod certificate;
mod explore;
mod recording;
mod soak;
mod store;
mod values;

use clap::{Parser, Subcommand};

use crate::exit::Exit;
use crate::text::LINE_LENGTH_MAX;

pub(crate) use certificate::{CertifyArguments, OutputArguments, ReportArguments};
pub(crate) use explore::{ExploreArguments, VacuityArguments};
pub(crate) use recording::{
    ExplainArguments, RecordingArguments, ReplayArguments, ShrinkArguments,
};
pub(crate) use soak::SoakArguments;
pub(crate) use store::{ExportArguments, RunsArguments, ShowArguments, StoredArguments};
pub(crate) use values::{ALL, GENERATED, Lane, Store};

/// The exit codes of the commands that run simulations or laws.
fn exit_codes() -> String {
    let lines = Exit::ALL.map(|exit| {
        let code = format!("  {:<5}", exit.code());
        let indent = " ".repeat(code.len());
        let options = textwrap::Options::new(LINE_LENGTH_MAX)
            .initial_indent(&code)
            .subsequent_indent(&indent);
        textwrap::fill(exit.meaning(), options)
    });
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// The exit codes of the commands that read the file of a store.
const STORE_EXIT_CODES: &str = "\
Exit codes:
  0    nothing is wrong
  1    the file is damaged, has a newer format or is not a store; the disk
       can't read it; or a log in it breaks the rules
  2    usage error: no such file or run, a folder, no permission, or a process
       has the store open
  5    internal error: the output could not be written, or the command has a
       bug";

/// The exit codes of `probe`.
const PROBE_EXIT_CODES: &str = "\
Exit codes:
  0    no law is broken
  1    the store breaks a law; the file is damaged, has a newer format or is
       not a store; or the disk can't read it
  2    usage error: no such file, a folder, no permission, or a process has
       the store open
  5    internal error or incomplete results: a law could not be checked, the
       output could not be written, or the command has a bug";

const ABOUT: &str = "Crashes workflows at every point and checks that every promise holds";

/// The same, and what the command does without arguments.
fn long_about() -> String {
    let [memory, redb] = [Store::Memory, Store::Redb].map(Store::crashes);
    format!(
        "{ABOUT}.\n\nWithout a subcommand it explores every built-in workload. A schedule has up to \
         {memory} crashes over the store in memory, and up to {redb} over the embedded store."
    )
}

/// The command line.
#[derive(Debug, Parser)]
#[command(version, about = ABOUT, long_about = long_about(), after_help = exit_codes())]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every schedule of the workloads within bounds and check each with the oracles.
    #[command(after_help = exit_codes())]
    Explore(ExploreArguments),
    /// Run random schedules, one per seed, of built-in workloads and random workflows until time runs out.
    #[command(after_help = exit_codes())]
    Soak(SoakArguments),
    /// Reduce a failing schedule to a minimal one that breaks the same promise.
    #[command(after_help = exit_codes())]
    Shrink(ShrinkArguments),
    /// Run one schedule again and print what happened.
    #[command(after_help = exit_codes())]
    Replay(ReplayArguments),
    /// Explain one schedule: which promise broke first, and at which event; as text or as a page.
    #[command(after_help = exit_codes())]
    Explain(ExplainArguments),
    /// Check the checks: every fault fires, every crash point is reached, every oracle catches a mutant.
    /// What does not is listed, and the exit code is 5.
    #[command(after_help = exit_codes())]
    Vacuity(VacuityArguments),
    /// Test a built-in store against every law of the conformance kit.
    #[command(after_help = exit_codes())]
    Certify(CertifyArguments),
    /// Merge the results that the conformance kit's tests left behind into certificates.
    #[command(after_help = exit_codes())]
    Report(ReportArguments),
    /// Check the file of an embedded store: every page, and the log of every run. Read-only.
    #[command(after_help = STORE_EXIT_CODES)]
    Doctor(StoredArguments),
    /// List the runs of an embedded store: state, rows, lives and age of each. Read-only.
    #[command(after_help = STORE_EXIT_CODES)]
    Runs(RunsArguments),
    /// Print the log of one run of an embedded store. Read-only.
    #[command(after_help = STORE_EXIT_CODES)]
    Show(ShowArguments),
    /// Write the logs of an embedded store as lines of JSON, for `crashpoint::check_logs`. Read-only.
    #[command(after_help = STORE_EXIT_CODES)]
    Export(ExportArguments),
    /// Check the fast laws of the conformance kit on an embedded store, in its own file. Writes runs of its own
    /// and clears them.
    #[command(after_help = PROBE_EXIT_CODES)]
    Probe(StoredArguments),
}

impl Default for Command {
    fn default() -> Self {
        Self::Explore(ExploreArguments::default())
    }
}
