//! One schedule: the broken promises, the faults, and the course of the run.

use crashpoint_simulator::moment::{Broken, first_shown};
use crashpoint_simulator::render;
use crashpoint_simulator::render::escaped_full;
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{History, NoReturn, scrubber};
use maud::{Markup, PreEscaped, html};

use crate::page::graph::{self, Taken};
use crate::page::timeline::event::{TimelineEvent, anchor, events};
use crate::page::words::message;
use crate::page::{ExplainedRun, ledger, log, timeline};

/// The parts of a schedule's page; `id` begins the names of its anchors.
pub(crate) fn story(
    schedule: &ExplainedRun<'_>,
    no_return: Option<&NoReturn>,
    steps: Option<&Steps>,
    id: &str,
) -> Markup {
    let broken = schedule.broken();
    let history = &schedule.run.history;
    let events = events(schedule.workload, history);
    html! {
        article.story {
            (verdict(&broken, Some(&render::windows_of(history)), |place| anchor(&events, place), id))
            section {
                h2 { "Schedule" }
                ol.schedule { @for fault in render::schedule(history) { li { (shown_whole(&fault)) } } }
                (releases(schedule.workload, history))
                (replay(schedule.command))
            }
            @if let Some(no_return) = no_return { (outlooks(no_return, &events, id)) }
            @if let Some(steps) = steps { (step_by_step(steps, &broken, first_shown(schedule.run, &broken))) }
            div.columns {
                section {
                    h2 { "Timeline" }
                    (timeline::timeline(history, &events, &broken, id))
                }
                div.side {
                    section { h2 { "Log" } (log::log(schedule.run, &events, id)) }
                    section { h2 { "Effects" } (ledger::ledger(history, id)) }
                    section {
                        h2 { "Workflow" }
                        (graph::path(history))
                        (graphs(schedule.workload, history))
                    }
                }
            }
        }
    }
}

/// The release that each life ran, if the workload has two.
fn releases(workload: &Workload, history: &History) -> Markup {
    let releases = render::releases(workload, history);
    let lines: Vec<&str> = releases.lines().skip(1).collect();
    html! {
        @if !lines.is_empty() {
            ul { @for line in lines { li { (line.trim_start()) } } }
        }
    }
}

/// The graph of the workflow, or of both its releases.
fn graphs(workload: &Workload, history: &History) -> Markup {
    let drawn = |definition| graph::graph(definition, &Taken::of(definition, history.edges()));
    html! {
        (drawn(&workload.definition))
        @if let Some(upgrade) = &workload.upgrade {
            h3 { "The new release" }
            (drawn(&upgrade.definition))
        }
    }
}

/// The events, one at a time.
pub(super) fn step_by_step(steps: &Steps, broken: &[Broken<'_>], shown: Option<usize>) -> Markup {
    let breaks = broken.first().and_then(|broken| broken.place);
    PreEscaped(scrubber::markup(steps, breaks, shown))
}

/// A line that is escaped already.
fn shown_whole(line: &str) -> Markup {
    html! { bdi { (line) } }
}

/// What is broken, the first promise first, when, and what to change. `anchor` gives the event on the
/// timeline for a place.
pub(super) fn verdict(
    broken: &[Broken<'_>],
    window: Option<&str>,
    anchor: impl Fn(usize) -> usize,
    id: &str,
) -> Markup {
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
            @if let Some(window) = window { p { strong { "The window: " } (shown_whole(window)) } }
            @if let Some(advice) = first.advice { p { strong { "What to change: " } (advice) } }
            p.note { "Promise: " (first.promise) ". " (since(first, &anchor, id)) }
            @if broken.len() > 1 {
                details {
                    summary { "and " (broken.len() - 1) " more" }
                    ul {
                        @for broken in &broken[1..] {
                            li { strong { (broken.verdict.oracle) } ": " (message(&broken.verdict.message)) ". " (since(broken, &anchor, id)) }
                        }
                    }
                }
            }
        }
    }
}

/// A link to the event on the timeline.
fn since(broken: &Broken<'_>, anchor: impl Fn(usize) -> usize, id: &str) -> Markup {
    let Some(place) = broken.place else {
        return html! { "Visible only at the end." };
    };
    let place = anchor(place);
    html! { a href=(format!("#{id}-{place}")) { "Since event " (place) } "." }
}

/// A row for each decision: how often other continuations break the promise from there.
fn outlooks(no_return: &NoReturn, events: &[TimelineEvent], id: &str) -> Markup {
    let (likely, inevitable) = (no_return.likely(), no_return.inevitable());
    html! {
        details.chapter {
            summary { h2 { "Point of no return" } }
            p.note { "Behind each fault other continuations of the schedule were sampled. The number of those that break " strong { (no_return.oracle) } ":" }
            table {
                tbody {
                    @for outlook in &no_return.outlooks {
                        tr {
                            td { (outlook.broken) " of " (outlook.sampled) }
                            td {
                                @match &outlook.fault {
                                    None => { "before any fault" }
                                    Some(fired) => {
                                        a href=(format!("#{id}-{}", anchor(events, outlook.place))) { (shown_whole(&render::escaped_line(&fired.to_string()))) }
                                    }
                                }
                                @if inevitable == Some(outlook) { strong.bad { " from here on inevitable" } }
                                @else if likely == Some(outlook) { strong { " from here on likely" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The command that replays a schedule.
pub(super) fn replay(command: &str) -> Markup {
    let command = escaped_full(command);
    html! {
        div.replay {
            code { (&command) }
            button type="button" data-copy=(command) hidden { "copy" }
        }
    }
}
