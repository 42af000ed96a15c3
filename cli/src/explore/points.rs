//! The covered crash points, by life and operation.

use std::collections::BTreeMap;

use crashpoint_simulator::Recorder;
use maud::{Markup, html};

use crate::explore::legend::WHERE_POINTS_COUNT;
use crate::page::words::message;
use crate::text::grouped;

/// The number of missed crash points that are listed.
const MISSED_MAX: usize = 20;

/// The number of crash points of an operation, and of those covered.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    covered: usize,
    total: usize,
}

/// The life and the operation of a crash point, and the sequence of the operation's row, by which
/// appends are in order.
type Operation<'a> = (u32, &'a str, Option<u64>);

/// The table. `lives` says what the numbers in the names of the points count.
pub(super) fn points(recorder: &Recorder, lives: &str) -> Markup {
    let (table, depth) = tally(recorder);
    html! {
        @if table.is_empty() { p.note { (WHERE_POINTS_COUNT) } }
        @else {
            div.wide { table.points {
                thead { tr {
                    th { (lives) } th { "operation" }
                    @for crashes in 0..=depth { th.number { (heading(crashes)) } }
                } }
                tbody {
                    @for ((life, operation, row), counts) in &table {
                        tr {
                            td { (life) }
                            td { code { (message(operation)) @if let Some(row) = row { "#" (row) } } }
                            @for crashes in 0..=depth { (cell(counts.get(&crashes).copied())) }
                        }
                    }
                }
            } }
        }
        @let missed: Vec<&str> = recorder.missed().take(MISSED_MAX).collect();
        @if !missed.is_empty() {
            p.bad { "Not covered, the first of them:" }
            ul { @for point in missed { li { code { (message(point)) } } } }
        }
    }
}

fn heading(crashes: u32) -> String {
    match crashes {
        0 => "as the first crash".to_owned(),
        1 => "after one crash".to_owned(),
        some => format!("after {some} crashes"),
    }
}

fn cell(count: Option<Count>) -> Markup {
    let Some(Count { covered, total }) = count else {
        return html! { td.number { "" } };
    };
    let class = if covered == total {
        "number good"
    } else {
        "number bad"
    };
    html! { td class=(class) { (grouped(covered as u64)) " of " (grouped(total as u64)) } }
}

/// The counts, and the largest number of crashes before a crash point.
fn tally(recorder: &Recorder) -> (BTreeMap<Operation<'_>, BTreeMap<u32, Count>>, u32) {
    let mut table: BTreeMap<Operation<'_>, BTreeMap<u32, Count>> = BTreeMap::new();
    let mut depth = 0;
    for (place, covered) in recorder.places() {
        depth = depth.max(place.crashes);
        let operation = (place.life, place.operation.as_str(), place.row);
        let counts = table.entry(operation).or_default();
        let count = counts.entry(place.crashes).or_default();
        count.total += 1;
        count.covered += usize::from(covered);
    }
    let covered: usize = table
        .values()
        .flat_map(BTreeMap::values)
        .map(|count| count.covered)
        .sum();
    assert_eq!(
        covered,
        recorder.covered(),
        "each crash point belongs to one operation, so the table adds up to the total"
    );
    (table, depth)
}
