//! `crashpoint shrink`: reduces a violation to a minimal one.

use std::io::Write;
use std::path::Path;

use crashpoint_simulator::moment::{Broken, broken_operations};
use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::{
    Judged, Recording, SHRINK_RUNS_MAX, Schedule, Shrunk, Simulated, render, shrink_recording,
};

use crate::arguments::ShrinkArguments;
use crate::exit::{Exit, Failure};

use crate::replay::operations;
use crate::replay::rerun::{Rerun, replay_command, replay_file_command};
use crate::replay::tapes;
use crate::text::{fitted, wrapped};
use crate::workloads::origin;

pub(crate) fn run(arguments: &ShrinkArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ShrinkArguments {
        which,
        out: file,
        oracle,
    } = arguments;
    let (oracle, file) = (oracle.as_deref(), file.as_deref());
    match Rerun::of(which)? {
        Rerun::Workload(rerun) => {
            let oracle = named_or_first(oracle, &rerun.explained().broken())?;
            let shrunk = shrunk(rerun.origin.source(), &rerun.recording, &oracle)?;
            print(&rerun.workload().name, &shrunk, &story(&shrunk), file, out)
        }
        Rerun::Operations(rerun) => {
            let oracle = named_or_first(oracle, &broken_operations(&rerun.trial))?;
            let shrunk = shrunk(rerun.operations, &rerun.recording, &oracle)?;
            let story = format!(
                "{}\n{}",
                wrapped(&shrunk.to_string()),
                fitted(&operations::story(&shrunk.trial))
            );
            print(
                &rerun.operations.name(),
                &shrunk,
                story.trim_end(),
                file,
                out,
            )
        }
    }
}

/// The name of the oracle that must still object: this one, or the one whose promise broke first.
fn named_or_first(oracle: Option<&str>, broken: &[Broken<'_>]) -> Result<String, Failure> {
    let first = || broken.first().map(|broken| broken.verdict.oracle);
    let oracle = oracle.or_else(first).ok_or_else(|| {
        let message = "this schedule breaks no promise, so there is nothing to shrink";
        Failure::Usage(message.to_owned())
    })?;
    Ok(oracle.to_owned())
}

fn shrunk<S: Simulated>(
    source: S,
    recording: &Recording,
    oracle: &str,
) -> Result<Shrunk<S::Trial>, Failure> {
    let shrunk = shrink_recording(source, recording, oracle, SHRINK_RUNS_MAX);
    let shrunk = shrunk.map_err(|error| Failure::Usage(error.to_string()))?;
    assert_eq!(
        shrunk.violation.oracle, oracle,
        "the shrinker goes on only from what the same oracle rejects"
    );
    Ok(shrunk)
}

/// Prints a shrunk violation, and writes its tape to a file if there must be one.
fn print<T: Judged>(
    name: &str,
    shrunk: &Shrunk<T>,
    story: &str,
    file: Option<&Path>,
    out: &mut impl Write,
) -> Result<Exit, Failure> {
    writeln!(out, "{name} over {}\n{story}", shrunk.token().store)?;
    match shrunk.token().word() {
        Ok(word) => writeln!(out, "token: {word}")?,
        Err(too_long) if file.is_none() => writeln!(out, "{too_long}")?,
        Err(_) => {}
    }
    let tape = tapes::of_shrunk(shrunk);
    let file = match (file, shrunk.token().word()) {
        (Some(file), _) => Some(file.to_owned()),
        (None, Ok(_)) => None,
        (None, Err(_)) => Some(tapes::place(Path::new(""), &tape)),
    };
    let command = match file {
        Some(file) => {
            tapes::write(&file, &tape)?;
            let path = escaped_full(&file.display().to_string());
            writeln!(out, "written to {path}")?;
            replay_file_command(&file)
        }
        None => replay_command(shrunk.token()),
    };
    writeln!(out, "replay it: {command}")?;
    Ok(Exit::of_oracles([shrunk.violation.oracle]))
}

/// A shrunk violation as text.
pub(crate) fn story(shrunk: &Shrunk) -> String {
    let mut story = format!("{}\n", wrapped(&shrunk.to_string()));
    story.push_str(&origin::workflow(shrunk.trial.nodes.as_deref()));
    story.push_str(&schedule(&shrunk.violation.schedule));
    let (oracle, message) = (shrunk.violation.oracle, &shrunk.violation.message);
    story.push_str(&objection(oracle, message));
    story
}

/// What an oracle objects to.
pub(crate) fn objection(oracle: &str, message: &str) -> String {
    format!("{oracle}: {}", render::escaped_line(message))
}

/// The faults of a schedule, one per line.
pub(crate) fn schedule(schedule: &Schedule) -> String {
    let faults = schedule.remarked();
    if faults.is_empty() {
        return "schedule\n  no fault\n".to_owned();
    }
    let lines = faults.iter();
    let lines = lines.map(|fault| format!("  {}\n", render::escaped_line(fault)));
    format!("schedule\n{}", lines.collect::<String>())
}
