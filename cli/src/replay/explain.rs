//! `crashpoint explain`: explains one schedule: which promise broke first, and at which event.

use std::io::Write;

use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::{render, trace};

use crate::arguments::ExplainArguments;
use crate::exit::{Exit, Failure};
use crate::page::{self, ExplainedRun};
use crate::replay::rerun::Rerun;
use crate::text::fitted;
use crate::workloads::origin;

pub(crate) fn run(arguments: &ExplainArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ExplainArguments { which, html } = arguments;
    let rerun = Rerun::of(which)?;
    let schedule = rerun.explained();
    match html {
        Some(path) => {
            page::File::create(path)?.write(&page::of_schedule(&schedule))?;
            let path = escaped_full(&path.display().to_string());
            writeln!(out, "{}\nwritten to {path}", fitted(&summary(&schedule)))?;
        }
        None => {
            writeln!(out, "{}", fitted(&summary(&schedule)))?;
            let story = fitted(&render::story(schedule.run, schedule.verdicts));
            write!(
                out,
                "\n{}{story}",
                origin::workflow(rerun.trial.nodes.as_deref())
            )?;
            writeln!(out, "\nreplay it: {}", schedule.command)?;
        }
    }
    Ok(rerun.exit())
}

/// The workload, the promise that broke first, and the event at which it broke.
fn summary(schedule: &ExplainedRun<'_>) -> String {
    let (workload, store) = (schedule.workload, schedule.store);
    let mut summary = format!("{} over {store}: {}\n", workload.name, workload.about);
    let broken = page::broken(schedule);
    let Some(first) = broken.first() else {
        summary.push_str("no promise is broken");
        return summary;
    };
    let message = render::escaped_line(&first.verdict.message);
    summary.push_str(&format!(
        "broken first: {}: {message}\npromise: {}\n",
        first.verdict.oracle, first.promise
    ));
    let place = first.place;
    let line = place.and_then(|place| trace::line_without_bytes(&schedule.run.history, place));
    summary.push_str(&match line {
        Some(line) => format!("since event {line}"),
        None => "visible only at the end".to_owned(),
    });
    let more = broken.len() - 1;
    if more > 0 {
        summary.push_str(&format!("\n{more} more violated, see below"));
    }
    summary
}
