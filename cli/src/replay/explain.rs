//! `crashpoint explain`: the story of one schedule, and where it went wrong.

use std::io::Write;

use crashpoint_simulator::render;
use crashpoint_simulator::render::whole;

use crate::arguments::ExplainArguments;
use crate::exit::{Exit, Failure};
use crate::page::{self, Schedule};
use crate::replay::rerun::Rerun;
use crate::workloads::origin;
use crashpoint_simulator::trace;

pub(crate) fn run(arguments: &ExplainArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let rerun = Rerun::of(&arguments.which)?;
    let schedule = rerun.schedule();
    match &arguments.html {
        Some(path) => {
            page::File::create(path)?.write(&page::of_schedule(&schedule))?;
            let path = whole(&path.display().to_string());
            writeln!(out, "{}\nwritten to {path}", summary(&schedule))?;
        }
        None => {
            writeln!(out, "{}", summary(&schedule))?;
            let story = render::story(schedule.run, schedule.verdicts);
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

/// What the workload is, and which promise broke first, where.
fn summary(schedule: &Schedule<'_>) -> String {
    let (workload, store) = (schedule.workload, schedule.store);
    let mut summary = format!("{} over {store}: {}\n", workload.name, workload.about);
    let broken = page::broken(schedule);
    let Some(first) = broken.first() else {
        summary.push_str("no promise is broken");
        return summary;
    };
    let message = render::escaped_line(&first.verdict.message);
    summary.push_str(&format!(
        "broken first: {}: {message}\nthe promise: {}\n",
        first.verdict.oracle, first.promise
    ));
    let line = first.place.and_then(|place| {
        let mut lines = trace::lines(&schedule.run.history).into_iter();
        lines.nth(place)
    });
    summary.push_str(&match line {
        // The row's bytes are for the trace.
        Some(line) => format!(
            "since event {}",
            line.split(" blob=").next().unwrap_or_default()
        ),
        None => "in the end".to_owned(),
    });
    let more = broken.len() - 1;
    if more > 0 {
        summary.push_str(&format!("\nand {more} more, below"));
    }
    summary
}
