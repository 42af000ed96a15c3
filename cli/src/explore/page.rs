//! The page of an exploration.

use crashpoint::protocol::Definition;
use crashpoint_simulator::{Recording, Violation, oracle, replay, replay_recording};
use maud::{Markup, html};

use crate::exit::Failure;
use crate::explore::legend::legend;
use crate::explore::points;
use crate::explore::report::{ExplorationReport, Row};
use crate::explore::representative;
use crate::page::graph::{Taken, graph};
use crate::page::words::{message, shown};
use crate::page::{self, ExplainedOperations, ExplainedRun, document, story};
use crate::replay::rerun::replay_command;
use crate::text::grouped;
use crate::workloads::Subject;

/// The number of violations shown in full; the others are listed.
const STORIES_MAX: usize = 12;

/// The number of violations listed.
const LISTED_MAX: usize = 200;

/// The page of a report.
///
/// # Errors
///
/// If a violation does not occur again.
pub(crate) fn page(report: &ExplorationReport) -> Result<String, Failure> {
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
                h2 { "Workflows and crash points" }
                @for (index, row) in report.rows.iter().enumerate() { (workload(row, index)) }
            }
        }
    };
    Ok(document("Exploration", &body))
}

fn verdict(report: &ExplorationReport) -> &'static str {
    match report.violations() {
        0 if report.complete => "No promise is broken.",
        0 => "No promise was broken until the interruption.",
        _ => "Promises are broken.",
    }
}

fn table(report: &ExplorationReport) -> Markup {
    html! {
        div.wide { table {
            thead { tr {
                th { "workload" } th { "store" } th.number { "violations" }
                th.number { "crash points" } th.number { "edges" } th.number { "schedules" }
                th.number { "run twice" }
            } }
            tbody {
                @for (index, row) in report.rows.iter().enumerate() {
                    tr {
                        td { a href=(format!("#w{index}")) { (shown(row.name())) } }
                        td { (row.store) }
                        td class=(if row.violations() > 0 { "number bad" } else { "number" }) {
                            (grouped(row.violations() as u64))
                        }
                        td.number { (row.points_in_words()) }
                        td.number { (edges(row)) }
                        td.number { (grouped(row.findings.schedules)) }
                        td.number { (grouped(row.findings.repeated)) }
                    }
                }
            }
        } }
    }
}

fn list(report: &ExplorationReport) -> Markup {
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let total = report.violations();
    let violations = report.rows.iter().flat_map(each).take(LISTED_MAX);
    html! {
        details {
            summary { "all " (grouped(total as u64)) ", with the token to replay each" }
            div.wide { table.violations {
                thead { tr { th { "workload" } th { "promise" } th { "message" } th { "token" } } }
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
fn stories(report: &ExplorationReport) -> Result<Vec<Markup>, Failure> {
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let violations = report.rows.iter().flat_map(each);
    let mut selected = representative(violations, |row, violation| {
        (violation.oracle, row.name(), row.store.name())
    });
    selected.truncate(STORIES_MAX);
    let mut stories = Vec::new();
    for (index, (row, violation)) in selected.into_iter().enumerate() {
        let story = retold(row, violation, &format!("v{index}"))?;
        stories.push(html! {
            details.chapter open[index == 0] {
                summary {
                    h2 { (shown(row.name())) " over " (row.store) ": " (violation.oracle) }
                }
                (story)
            }
        });
    }
    Ok(stories)
}

/// The story of a violation, from a replay of it.
fn retold(row: &Row, violation: &Violation, id: &str) -> Result<Markup, Failure> {
    let command = &replay_command(&violation.token);
    match &row.subject {
        Subject::Workload(workload) => {
            let run = replay(workload, &violation.token)?;
            let verdicts = oracle::judge(workload, &run);
            let schedule = ExplainedRun {
                workload,
                run: &run,
                verdicts: &verdicts,
                store: row.store,
                command,
            };
            Ok(story::story(&schedule, None, None, id))
        }
        Subject::Operations(operations) => {
            let recording = Recording::Token(violation.token.clone());
            let explained = ExplainedOperations {
                name: row.name(),
                trial: &replay_recording(operations, &recording)?,
                store: row.store,
                command,
            };
            Ok(page::operations::story(&explained, id))
        }
    }
}

fn taken(row: &Row, definition: &Definition) -> Taken {
    let edges = row.findings.edges.iter();
    let edges = edges.map(|(from, to)| (from.as_str(), to.as_str()));
    Taken::of(definition, edges)
}

/// How many edges of the workflow were taken. Operations have no workflow of their own.
fn edges(row: &Row) -> String {
    row.workload().map_or_else(String::new, |workload| {
        let definition = &workload.definition;
        let (taken, edges) = taken(row, definition).covered(definition);
        format!("{taken} of {edges}")
    })
}

/// What the numbers in the names of crash points count.
fn lives(row: &Row) -> &'static str {
    match row.subject {
        Subject::Workload(_) => "life",
        Subject::Operations(_) => "caller",
    }
}

fn workload(row: &Row, index: usize) -> Markup {
    html! {
        section.workload id=(format!("w{index}")) {
            h3 { (shown(row.name())) " over " (row.store) }
            p { (shown(row.subject.about())) }
            div.columns {
                @if let Some(workload) = row.workload() {
                    div { (graph(&workload.definition, &taken(row, &workload.definition))) }
                }
                @if let Some(upgrade) = row.workload().and_then(|it| it.upgrade.as_ref()) {
                    div { h4 { "The new release" } (graph(&upgrade.definition, &taken(row, &upgrade.definition))) }
                    div { pre { (row.findings.resumptions) } }
                }
                div.side {
                    @if row.was_started() { (points::points(&row.findings.recorder, lives(row))) }
                    @else { p.note { "Not started." } }
                }
            }
        }
    }
}
