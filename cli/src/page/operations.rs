//! One simulation of operations over several runs: the broken promises, the faults, and every event.

use crashpoint_simulator::moment::{Broken, broken_operations};
use crashpoint_simulator::operations::What;
use crashpoint_simulator::render::{operations, operations_schedule};
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::{Fault, OperationsTrial, StoreKind};
use maud::{Markup, html};

use crate::page::story::{replay, step_by_step, verdict};
use crate::page::words::{colour, message};

/// A simulation of operations to explain.
#[derive(Debug, Clone, Copy)]
pub struct ExplainedOperations<'a> {
    /// The name of the operations, with the broken operation if they have one.
    pub name: &'a str,
    /// The simulation, with the verdicts of the oracles.
    pub trial: &'a OperationsTrial,
    /// The store.
    pub store: StoreKind,
    /// The command that replays it.
    pub command: &'a str,
}

/// The parts of the page; `id` begins the names of its anchors.
pub(crate) fn story(explained: &ExplainedOperations<'_>, id: &str) -> Markup {
    let trial = explained.trial;
    let broken = broken_operations(trial);
    let faults = operations_schedule(&trial.simulation.history.schedule());
    html! {
        article.story {
            (verdict(&broken, None, |place| place, id))
            section {
                h2 { "Operations" }
                ul.schedule { @for line in operations(&trial.simulation) { li { (message(&line)) } } }
            }
            section {
                h2 { "Schedule" }
                @if faults.is_empty() { p { "no fault" } }
                ol.schedule { @for fault in &faults { li { (message(fault)) } } }
                (replay(explained.command))
            }
            (step_by_step(&Steps::of_operations(&trial.simulation), &broken, None))
            section { h2 { "Timeline" } (timeline(trial, &broken, id)) }
        }
    }
}

fn timeline(trial: &OperationsTrial, broken: &[Broken<'_>], id: &str) -> Markup {
    let lead = broken.first().map(|first| first.verdict.oracle);
    html! {
        div.wide { table {
            thead { tr { th { "event" } th { "caller" } th { "what happens" } } }
            tbody {
                @for (place, entry) in trial.simulation.history.0.iter().enumerate() {
                    tr id=(format!("{id}-{place}")) {
                        td.short { (place) }
                        td.short { span class=(format!("life {}", colour(u32::from(entry.caller)))) { "caller " (entry.caller) } }
                        td class=[is_grave(&entry.what).then_some("bad")] {
                            (message(&entry.what.to_string()))
                            @for broken in broken.iter().filter(|broken| broken.place == Some(place)) {
                                " " span.breaks.lead[Some(broken.verdict.oracle) == lead] { (broken.verdict.oracle) " breaks here" }
                            }
                        }
                    }
                }
            }
        } }
    }
}

/// Whether something goes wrong in an event.
fn is_grave(what: &What) -> bool {
    match what {
        What::Fault { fired, .. } => !matches!(fired.fault, Fault::Switch(_)),
        What::Panicked(_) | What::Hung => true,
        _ => false,
    }
}
