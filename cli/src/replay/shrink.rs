//! `crashpoint shrink`: reduces a violation to a minimal one.

use std::io::Write;
use std::path::Path;

use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::{SHRINK_RUNS_MAX, Schedule, Shrunk, render, shrink_recording};

use crate::arguments::ShrinkArguments;
use crate::exit::{Exit, Failure};
use crate::page;
use crate::replay::rerun::{Rerun, replay_command, replay_file_command};
use crate::replay::tapes;
use crate::text::wrapped;
use crate::workloads::origin;

pub(crate) fn run(arguments: &ShrinkArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ShrinkArguments {
        which,
        out: file,
        oracle,
    } = arguments;
    let rerun = Rerun::of(which)?;
    let oracle = match oracle {
        Some(oracle) => oracle,
        None => {
            let broken = page::broken(&rerun.explained());
            let first = broken.first().map(|broken| broken.verdict.oracle);
            first.ok_or_else(|| {
                let message = "this schedule breaks no promise, so there is nothing to shrink";
                Failure::Usage(message.to_owned())
            })?
        }
    };
    let source = rerun.origin.source();
    let shrunk = shrink_recording(source, &rerun.recording, oracle, SHRINK_RUNS_MAX);
    let shrunk = shrunk.map_err(|error| Failure::Usage(error.to_string()))?;
    assert_eq!(
        shrunk.violation.oracle, oracle,
        "the shrinker goes on only from what the same oracle rejects"
    );
    let (name, store) = (&rerun.workload().name, shrunk.token().store);
    writeln!(out, "{name} over {store}\n{}", story(&shrunk))?;
    match shrunk.token().word() {
        Ok(word) => writeln!(out, "token: {word}")?,
        Err(too_long) if file.is_none() => writeln!(out, "{too_long}")?,
        Err(_) => {}
    }
    let tape = tapes::of_shrunk(&shrunk);
    let file = match (file, shrunk.token().word()) {
        (Some(file), _) => Some(file.clone()),
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
    story.push_str(&origin::workflow(shrunk.nodes.as_deref()));
    story.push_str(&schedule(&shrunk.violation.schedule));
    let (oracle, message) = (shrunk.violation.oracle, &shrunk.violation.message);
    story.push_str(&format!("{oracle}: {}", render::escaped_line(message)));
    story
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
