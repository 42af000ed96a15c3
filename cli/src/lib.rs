//! The command `crashpoint`: explores workflows under crashes; shrinks, replays and explains failures;
//! certifies stores; reads the files of embedded stores. The README is its manual.
//!
//! Only this crate knows terminals and pages: arguments, progress, tables, exit codes, HTML. It is a
//! library for its tests. Nothing depends on it.

mod arguments;
pub mod certificate;
pub mod exit;
mod explore;
pub mod page;
mod probe;
pub mod process;
mod replay;
pub mod soak;
mod store;
pub mod text;
mod workloads;

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;
use crashpoint_simulator::render::is_invisible;

use crate::arguments::{Arguments, Command};
use crate::exit::{Exit, Failure};
use crate::explore::vacuity;
use crate::replay::{explain, shrink};
use crate::store::{doctor, export, runs, show};
use crate::text::escape::{self, Terminal};

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refused(&error),
    };
    let command = arguments.command.unwrap_or_default();
    // A panic is a bug of ours. The hook has printed it; the exit code says so too.
    let exit = catch_unwind(AssertUnwindSafe(|| run(&command))).unwrap_or(Exit::Harness);
    ExitCode::from(exit.code())
}

/// Prints help, or why the arguments are refused. The reason quotes them.
fn refused(error: &clap::Error) -> ExitCode {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let hostile: Vec<String> = arguments.filter(|it| it.contains(is_invisible)).collect();
    if !error.use_stderr() || hostile.is_empty() {
        // In colours.
        error.exit();
    }
    let escape =
        |words: String, argument: &String| words.replace(argument, &escape::message(argument));
    let words = hostile.iter().fold(error.render().to_string(), escape);
    // If standard error is gone, nobody reads it.
    _ = Terminal(io::stderr()).write_all(words.as_bytes());
    ExitCode::from(Exit::Usage.code())
}

fn run(command: &Command) -> Exit {
    let mut out = Terminal(io::stdout().lock());
    let done = match command {
        Command::Explore(arguments) => explore::run(arguments, &mut out),
        Command::Soak(arguments) => soak::run(arguments, &mut out),
        Command::Shrink(arguments) => shrink::run(arguments, &mut out),
        Command::Replay(arguments) => replay::run(arguments, &mut out),
        Command::Explain(arguments) => explain::run(arguments, &mut out),
        Command::Vacuity(arguments) => vacuity::run(arguments, &mut out),
        Command::Certify(arguments) => certificate::certify(arguments, &mut out),
        Command::Report(arguments) => certificate::report(arguments, &mut out),
        Command::Doctor(arguments) => doctor::run(arguments, &mut out),
        Command::Runs(arguments) => runs::run(arguments, &mut out),
        Command::Show(arguments) => show::run(arguments, &mut out),
        Command::Export(arguments) => export::run(arguments, &mut out),
        Command::Probe(arguments) => probe::run(arguments, &mut out),
    };
    match done.and_then(|exit| out.flush().map(|()| exit).map_err(Failure::from)) {
        Ok(exit) => exit,
        // The reader of the output is gone, as in `crashpoint runs FILE | head`.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Err(failure) => {
            // If standard error is gone too, the error is lost.
            _ = writeln!(io::stderr(), "error: {}", in_words(&failure));
            failure.exit()
        }
    }
}

fn in_words(failure: &Failure) -> String {
    let words = failure.to_string();
    match failure {
        // The difference is set out on lines of its own.
        Failure::Nondeterminism(_) => {
            let lines: Vec<String> = words.lines().map(escape::message).collect();
            lines.join("\n")
        }
        _ => escape::message(&words),
    }
}
