//! `crashpoint replay`: runs one schedule again and prints its timeline, or every event.

pub(crate) mod explain;
pub(crate) mod operations;
pub(crate) mod rerun;
pub(crate) mod shrink;
mod step;
pub(crate) mod tapes;
pub(crate) mod twice;

use std::io::{self, Write};

use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::{HashedTrace, render};

use crate::arguments::ReplayArguments;
use crate::exit::{Exit, Failure};
use crate::replay::rerun::Rerun;
use crate::replay::twice::counted_trace;
use crate::text::fitted;
use crate::workloads::origin;
use crashpoint_simulator::trace;

pub(crate) fn run(arguments: &ReplayArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ReplayArguments {
        which,
        trace: by_event,
        step: one_at_a_time,
    } = arguments;
    let rerun = match Rerun::of(which)? {
        Rerun::Workload(rerun) => rerun,
        Rerun::Operations(rerun) if *one_at_a_time => {
            let steps = Steps::of_operations(&rerun.trial.simulation);
            step::step(&steps, rerun.broken_at(), io::stdin().lock(), out)?;
            return Ok(rerun.exit());
        }
        Rerun::Operations(rerun) => {
            rerun.replay(*by_event, out)?;
            return Ok(rerun.exit());
        }
    };
    if *one_at_a_time {
        step::step(&rerun.steps()?, rerun.broken_at(), io::stdin().lock(), out)?;
        return Ok(rerun.exit());
    }
    let trace = HashedTrace::of(&rerun.trial);
    let (run, verdicts) = (&rerun.trial.run, &rerun.trial.verdicts);
    if *by_event {
        for line in trace::lines(&run.history) {
            writeln!(out, "{line}")?;
        }
        for verdict in verdicts {
            writeln!(out, "{}", trace::violation(verdict))?;
        }
        let (events, hash) = (trace.events(), trace.hash());
        writeln!(out, "course events={events} hash={hash:016x}")?;
    } else {
        let (workload, story) = (rerun.workload(), fitted(&render::story(run, verdicts)));
        writeln!(out, "{}: {}\n", workload.name, workload.about)?;
        write!(out, "{}", origin::workflow(rerun.trial.nodes.as_deref()))?;
        write!(out, "{}", render::releases(workload, &run.history))?;
        writeln!(out, "{story}")?;
        writeln!(out, "{}", counted_trace(&trace))?;
    }
    Ok(rerun.exit())
}
