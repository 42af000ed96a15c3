//! The log: its rows in words, and the lives that wrote them.

use crashpoint::CheckpointRow;
use crashpoint_simulator::{History, Run, What};
use maud::{Markup, html};

use crate::page::row::{row_words, token};
use crate::page::timeline::event::{TimelineEvent, anchor};
use crate::page::words::life;

/// A row that became durable.
struct Durable<'a> {
    place: usize,
    life: u32,
    row: &'a CheckpointRow,
    /// Whether the store still has it at the end.
    kept: bool,
}

/// The logs of a run, one table each: a clear ends a log.
pub(super) fn log(run: &Run, events: &[TimelineEvent], id: &str) -> Markup {
    let logs = logs(run);
    let count = logs.len();
    html! {
        @for (index, log) in logs.iter().enumerate() {
            @if count > 1 {
                p.note { "log " (index + 1) @if index + 1 < count { ", cleared" } }
            }
            @if log.is_empty() { p.note { "empty" } } @else { (table(log, index, events, id)) }
        }
    }
}

fn table(log: &[Durable<'_>], index: usize, events: &[TimelineEvent], id: &str) -> Markup {
    html! {
        table.log {
            thead { tr { th { "row" } th { "of" } th { "what it says" } } }
            tbody {
                @for durable in log {
                    tr class=[(!durable.kept).then_some("gone")] data-k=(token(index, durable.row.sequence)) {
                        td.short { a href=(format!("#{id}-{}", anchor(events, durable.place))) { "#" (durable.row.sequence) } }
                        td { (life(durable.life)) }
                        td {
                            (row_words(durable.row))
                            @if !durable.kept { " " span.bad { "lost" } }
                        }
                    }
                }
            }
        }
    }
}

fn logs(run: &Run) -> Vec<Vec<Durable<'_>>> {
    let History(entries) = &run.history;
    let mut logs: Vec<Vec<Durable<'_>>> = vec![Vec::new()];
    for (place, entry) in entries.iter().enumerate() {
        let log = logs.last_mut().expect("there is always a log");
        match &entry.what {
            What::Landed(row) => log.push(Durable {
                place,
                life: entry.life,
                row,
                kept: true,
            }),
            What::Cleared => logs.push(Vec::new()),
            _ => {}
        }
    }
    // After the last clear the log is empty, unless the store is broken.
    if logs.len() > 1 && logs.last().is_some_and(Vec::is_empty) {
        logs.pop();
    } else {
        for durable in logs.iter_mut().next_back().into_iter().flatten() {
            durable.kept = run.log.contains(durable.row);
        }
    }
    logs
}
