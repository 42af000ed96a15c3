//! `crashpoint replay`: one schedule again, with its story or event by event.

use std::io::Write;

use crashpoint_simulator::render;

use crate::arguments::ReplayArguments;
use crate::exit::{Exit, Failure};
use crate::rerun::Rerun;
use crate::trace;

pub(crate) fn run(arguments: &ReplayArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let rerun = Rerun::of(&arguments.token)?;
    if arguments.trace {
        for line in trace::lines(&rerun.run.history) {
            writeln!(out, "{line}")?;
        }
        for verdict in &rerun.verdicts {
            writeln!(out, "{}", trace::violation(verdict))?;
        }
    } else {
        let (workload, story) = (&rerun.workload, render::story(&rerun.run, &rerun.verdicts));
        writeln!(out, "{}: {}\n\n{story}", workload.name, workload.about)?;
    }
    Ok(rerun.exit())
}
