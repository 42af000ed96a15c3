//! `crashpoint replay`: one schedule again, with its story or event by event.

use std::io::Write;

use crashpoint_simulator::render;

use crate::arguments::ReplayArguments;
use crate::exit::{Exit, Failure};
use crate::origin;
use crate::rerun::Rerun;
use crashpoint_simulator::trace;

pub(crate) fn run(arguments: &ReplayArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let rerun = Rerun::of(&arguments.recording)?;
    let (run, verdicts) = (&rerun.trial.run, &rerun.trial.verdicts);
    if arguments.trace {
        for line in trace::lines(&run.history) {
            writeln!(out, "{line}")?;
        }
        for verdict in verdicts {
            writeln!(out, "{}", trace::violation(verdict))?;
        }
    } else {
        let (workload, story) = (rerun.workload(), render::story(run, verdicts));
        writeln!(out, "{}: {}\n", workload.name, workload.about)?;
        write!(out, "{}", origin::workflow(rerun.trial.nodes.as_deref()))?;
        writeln!(out, "{story}")?;
    }
    Ok(rerun.exit())
}
