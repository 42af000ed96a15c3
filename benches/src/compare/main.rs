//! Stores measured side by side: rows that are durable when they are acknowledged, on one disk, in
//! rounds that alternate within one run of this program.
//!
//! A number of one store means little. The stores compared here write the same rows under the same
//! promise, and the ratio is printed with the names of both.

mod arguments;
mod churn;
mod clock;
mod device;
mod folder;
mod group;
mod json;
mod measure;
mod peers;

mod plot;
mod reopen;
mod rounds;
mod soak;
mod statistics;
mod table;
mod transition;
mod workload;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command, Comparing};
use crate::folder::BenchFolder;
use crate::rounds::Results;
use crate::workload::Workload;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.command) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done where standard error is gone as well.
            _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, String> {
    let results = match command {
        Command::Append(comparing) => compared(comparing, Workload::Append)?,
        Command::Lifecycle(comparing) => compared(comparing, Workload::Lifecycle)?,
        Command::Load(comparing) => compared(comparing, Workload::Load)?,
        Command::Reopen(reopening) => {
            let common = &reopening.comparing.common;
            (
                reopen::compare(reopening, &BenchFolder::open(common)?),
                common,
            )
        }
        Command::Transition(common) => (transition::compare(), common),
        Command::Churn(arguments) => return churn::run(arguments),
        Command::Soak(arguments) => return soak::run(arguments),
        Command::SoakChild(arguments) => return soak::child(arguments),
    };
    let (results, common) = results;
    let text = match common.json {
        true => json::render(&results),
        false => table::render(&results),
    };
    writeln!(io::stdout(), "{text}").map_err(|error| error.to_string())?;
    if let Some(file) = &common.svg {
        let written = std::fs::write(file, plot::render(&results));
        written.map_err(|error| format!("can't write {}: {error}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compared(
    comparing: &Comparing,
    workload: Workload,
) -> Result<(Results, &arguments::Common), String> {
    let bench_folder = BenchFolder::open(&comparing.common)?;
    Ok((
        rounds::compare(comparing, workload, &bench_folder),
        &comparing.common,
    ))
}
