//! `crashpoint explain`: explains one schedule: which promise broke first, and at which event.

use std::io::Write;
use std::path::Path;

use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::{Simulated as _, render, trace};

use crate::arguments::ExplainArguments;
use crate::exit::{Exit, Failure};
use crate::page::{self, ExplainedRun};
use crate::replay::operations;
use crate::replay::rerun::Rerun;
use crate::text::fitted;
use crate::workloads::origin;

pub(crate) fn run(arguments: &ExplainArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ExplainArguments { which, html } = arguments;
    match Rerun::of(which)? {
        Rerun::Workload(rerun) => {
            let schedule = rerun.explained();
            let no_return = rerun.no_return();
            let steps = rerun.steps()?;
            let explanation = Explanation {
                summary: summary(&schedule),
                page: || page::of_schedule(&schedule, no_return.as_ref(), Some(&steps)),
                story: || {
                    let outlook = no_return.as_ref().map(|outlook| {
                        let outlook = fitted(&outlook.to_string());
                        format!("point of no return\n{outlook}\n\n")
                    });
                    let outlook = outlook.unwrap_or_default();
                    let workflow = origin::workflow(rerun.trial.nodes.as_deref());
                    let story = fitted(&render::story(schedule.run, schedule.verdicts));
                    let releases = render::releases(schedule.workload, &schedule.run.history);
                    format!("{outlook}{workflow}{releases}{story}")
                },
                command: schedule.command,
            };
            explanation.print(html.as_deref(), out)?;
            Ok(rerun.exit())
        }
        Rerun::Operations(rerun) => {
            let name = rerun.operations.name();
            let explanation = Explanation {
                summary: rerun.summary(),
                page: || page::of_operations(&rerun.explained(&name)),
                story: || fitted(&operations::story(&rerun.trial)),
                command: &rerun.command,
            };
            explanation.print(html.as_deref(), out)?;
            Ok(rerun.exit())
        }
    }
}

/// What is printed of a schedule, or written as a page.
struct Explanation<'a, P, S> {
    /// What broke first.
    summary: String,
    page: P,
    story: S,
    /// The command that replays it.
    command: &'a str,
}

impl<P: Fn() -> String, S: Fn() -> String> Explanation<'_, P, S> {
    /// Writes the page to this file, or prints everything.
    fn print(&self, html: Option<&Path>, out: &mut impl Write) -> Result<(), Failure> {
        writeln!(out, "{}", fitted(&self.summary))?;
        match html {
            Some(path) => {
                page::File::create(path)?.write(&(self.page)())?;
                let path = escaped_full(&path.display().to_string());
                writeln!(out, "written to {path}")?;
            }
            None => {
                write!(out, "\n{}", (self.story)())?;
                writeln!(out, "\nreplay it: {}", self.command)?;
            }
        }
        Ok(())
    }
}

/// The workload, the promise that broke first, and the event at which it broke.
fn summary(schedule: &ExplainedRun<'_>) -> String {
    let (workload, store) = (schedule.workload, schedule.store);
    let mut summary = format!("{} over {store}: {}\n", workload.name, workload.about);
    let broken = schedule.broken();
    let Some(first) = broken.first() else {
        summary.push_str("no promise is broken");
        return summary;
    };
    let message = render::escaped_line(&first.verdict.message);
    summary.push_str(&format!(
        "broken first: {}: {message}\npromise: {}\nthe window: {}\n",
        first.verdict.oracle,
        first.promise,
        render::windows_of(&schedule.run.history)
    ));
    if let Some(advice) = first.advice {
        summary.push_str(&format!("what to change: {advice}\n"));
    }
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
