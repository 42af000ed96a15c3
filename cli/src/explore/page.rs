//! The page about an exploration.

use crashpoint_simulator::{oracle, replay};
use maud::{Markup, html};

use crate::exit::Failure;
use crate::explore::legend::legend;
use crate::explore::points;
use crate::explore::report::{Report, Row};
use crate::explore::telling;
use crate::page::graph::{Taken, graph};
use crate::page::words::{message, shown};
use crate::page::{Schedule, document, story};
use crate::replay::rerun::command_at_hand;
use crate::text::grouped;

/// How many violations are told in full; the others are listed.
const STORIES_MAX: usize = 12;

/// How many violations are listed.
const LISTED_MAX: usize = 200;

/// The page of a report.
///
/// # Errors
///
/// Where a violation does not show again.
pub(crate) fn page(report: &Report) -> Result<String, Failure> {
    let stories = stories(report)?;
    let body = html! {
        header {
            p.product { "Crashpoint: an exploration" }
            h1 { (report.verdict()) }
        }
        main {
            section.verdict.violated[report.violations() > 0].held[report.violations() == 0] {
                p { strong { (verdict(report)) } }
                p { (report.coverage()) }
                @for caveat in report.caveats() { p.bad { (caveat) } }
            }
            section { h2 { "Workloads" } (table(report)) @for paragraph in legend(report) { p.note { (paragraph) } } }
            @if !stories.is_empty() {
                section { h2 { "Violations" } (list(report)) }
            }
            @for story in stories { (story) }
            section {
                h2 { "Workflows, and where they were crashed" }
                @for (index, row) in report.rows.iter().enumerate() { (workload(row, index)) }
            }
        }
    };
    Ok(document("Exploration", &body))
}

fn verdict(report: &Report) -> &'static str {
    match report.violations() {
        0 if report.complete => "No promise is broken.",
        0 => "No promise was broken until it was interrupted.",
        _ => "Promises are broken.",
    }
}

fn table(report: &Report) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                th { "workload" } th { "store" } th.number { "violations" }
                th.number { "crash points" } th.number { "edges" } th.number { "schedules" }
                th.number { "run twice" }
            } }
            tbody {
                @for (index, row) in report.rows.iter().enumerate() {
                    @let (taken, edges) = taken(row).covered(&row.workload.definition);
                    tr {
                        td { a href=(format!("#w{index}")) { (shown(row.name())) } }
                        td { (row.store) }
                        td class=(if row.violations() > 0 { "number bad" } else { "number" }) {
                            (grouped(row.violations() as u64))
                        }
                        td.number { (row.points_in_words()) }
                        td.number { (taken) " of " (edges) }
                        td.number { (grouped(row.findings.schedules)) }
                        td.number { (grouped(row.findings.repeated)) }
                    }
                }
            }
        } }
    }
}

fn list(report: &Report) -> Markup {
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let total = report.violations();
    let violations = report.rows.iter().flat_map(each).take(LISTED_MAX);
    html! {
        details {
            summary { "all " (grouped(total as u64)) " of them, with what replays each" }
            div.wide { table.violations {
                thead { tr { th { "workload" } th { "promise" } th { "what is wrong" } th { "replay" } } }
                tbody {
                    @for (row, violation) in violations {
                        tr {
                            td { (shown(row.name())) " over " (row.store) }
                            td { (violation.oracle) }
                            td { (message(&violation.message)) }
                            td { code { (violation.token) } }
                        }
                    }
                }
            } }
            @if total > LISTED_MAX {
                p.note { (grouped((total - LISTED_MAX) as u64)) " more; --json lists them all" }
            }
        }
    }
}

/// The simplest schedule for each workload, store and promise.
fn stories(report: &Report) -> Result<Vec<Markup>, Failure> {
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let violations = report.rows.iter().flat_map(each);
    let mut told = telling(violations, |row, violation| {
        (violation.oracle, row.name(), row.store.name())
    });
    told.truncate(STORIES_MAX);
    let mut stories = Vec::new();
    for (index, (row, violation)) in told.into_iter().enumerate() {
        let run = replay(&row.workload, &violation.token)?;
        let verdicts = oracle::judge(&row.workload, &run);
        let command = command_at_hand(&violation.token);
        let schedule = Schedule {
            workload: &row.workload,
            run: &run,
            verdicts: &verdicts,
            store: row.store,
            command: &command,
        };
        stories.push(html! {
            details.chapter open[index == 0] {
                summary {
                    h2 { (shown(row.name())) " over " (row.store) ": " (violation.oracle) }
                }
                (story::story(&schedule, &format!("v{index}")))
            }
        });
    }
    Ok(stories)
}

fn taken(row: &Row) -> Taken {
    let edges = row.findings.edges.iter();
    let edges = edges.map(|(from, to)| (from.as_str(), to.as_str()));
    Taken::of(&row.workload.definition, edges)
}

fn workload(row: &Row, index: usize) -> Markup {
    html! {
        section.workload id=(format!("w{index}")) {
            h3 { (shown(row.name())) " over " (row.store) }
            p { (shown(row.workload.about)) }
            div.columns {
                div { (graph(&row.workload.definition, &taken(row))) }
                div.side {
                    @if row.was_begun() { (points::points(&row.findings.recorder)) }
                    @else { p.note { "Not begun." } }
                }
            }
        }
    }
}
