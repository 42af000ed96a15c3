//! One schedule: what is broken, what was done to the run, and what came of it.

use crashpoint_simulator::render;
use crashpoint_simulator::render::whole;
use maud::{Markup, html};

use crate::page::graph::{self, Taken};
use crate::page::timeline::happening::{Happening, anchor, happenings};
use crate::page::words::message;
use crate::page::{Broken, Schedule, broken, ledger, log, timeline};

/// The parts of a schedule's page; `id` begins the names of its anchors.
pub(crate) fn story(schedule: &Schedule<'_>, id: &str) -> Markup {
    let broken = broken(schedule);
    let definition = &schedule.workload.definition;
    let history = &schedule.run.history;
    let happenings = happenings(schedule.workload, history);
    html! {
        article.story {
            (verdict(&broken, &happenings, id))
            section {
                h2 { "Schedule" }
                ol.schedule { @for fault in render::schedule(history) { li { (shown_whole(&fault)) } } }
                (replay(schedule.command))
            }
            div.columns {
                section {
                    h2 { "Timeline" }
                    (timeline::timeline(history, &happenings, &broken, id))
                }
                div.side {
                    section { h2 { "Log" } (log::log(schedule.run, &happenings, id)) }
                    section { h2 { "Effects" } (ledger::ledger(history, id)) }
                    section {
                        h2 { "Workflow" }
                        (graph::path(history))
                        (graph::graph(definition, &Taken::of(definition, history.edges())))
                    }
                }
            }
        }
    }
}

/// A line that is escaped already.
fn shown_whole(line: &str) -> Markup {
    html! { bdi { (line) } }
}

fn verdict(broken: &[Broken<'_>], happenings: &[Happening], id: &str) -> Markup {
    let Some(first) = broken.first() else {
        return html! { section.verdict.held { p { strong { "No promise is broken." } } } };
    };
    html! {
        section.verdict.violated {
            p.lead {
                @if broken.len() > 1 { "Broken first: " } @else { "Broken: " }
                strong { (first.verdict.oracle) }
            }
            p.message { (message(&first.verdict.message)) }
            p.note { "The promise: " (first.promise) ". " (since(first, happenings, id)) }
            @if broken.len() > 1 {
                details open[broken.len() < 4] {
                    summary { "and " (broken.len() - 1) " more" }
                    ul {
                        @for broken in &broken[1..] {
                            li { strong { (broken.verdict.oracle) } ": " (message(&broken.verdict.message)) ". " (since(broken, happenings, id)) }
                        }
                    }
                }
            }
        }
    }
}

/// Where it is marked on the timeline.
fn since(broken: &Broken<'_>, happenings: &[Happening], id: &str) -> Markup {
    let Some(place) = broken.place else {
        return html! { "Seen in the end." };
    };
    let place = anchor(happenings, place);
    html! { a href=(format!("#{id}-{place}")) { "Since event " (place) } "." }
}

fn replay(command: &str) -> Markup {
    let command = whole(command);
    html! {
        div.replay {
            code { (&command) }
            button type="button" data-copy=(command) hidden { "copy" }
        }
    }
}
