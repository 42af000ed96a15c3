//! The timeline: lanes, and beside them the events, one per line. A line expands to its details.

pub(super) mod event;
mod lanes;

use crashpoint_simulator::History;
use crashpoint_simulator::moment::Broken;
use crashpoint_simulator::oracle::Kind;
use maud::{Markup, html};

use crate::page::timeline::event::TimelineEvent;
use crate::page::timeline::lanes::Lanes;
use crate::page::words::life;

/// The meaning of the marks.
const LEGEND: &str = "Time runs down. A thick lane is a running task. A triangle starts an attempt; \
    it points up for an undo. A line to the right reaches the store: dashed if the row was only \
    sent; a dot there is a durable row, a diamond a claim; a filled dot at the life is an \
    acknowledgement. A diamond on the left is an effect in the world, hollow if it undoes \
    something or changed nothing. A large cross is a crash, a small one a failure. A square is the \
    end of a life, filled if the run has ended.";

pub(in crate::page) fn timeline(
    history: &History,
    events: &[TimelineEvent],
    broken: &[Broken<'_>],
    id: &str,
) -> Markup {
    let lanes = Lanes::of(history);
    let width = format!("--lanes:{}px", lanes.width());
    html! {
        div.timeline style=(width) {
            div.top { (lanes.head()) span.note { "click a line for details" } }
            ol {
                @for (index, event) in events.iter().enumerate() {
                    @let next = events.get(index + 1).map_or(history.0.len(), |next| next.place);
                    (line(&lanes, event, next, broken, id))
                }
            }
            (in_the_end(broken))
        }
        details.legend { summary { "what the marks mean" } p { (LEGEND) } }
    }
}

fn line(
    lanes: &Lanes,
    event: &TimelineEvent,
    next: usize,
    broken: &[Broken<'_>],
    id: &str,
) -> Markup {
    let places = event.place..next;
    let here = |broken: &&Broken<'_>| broken.place.is_some_and(|place| places.contains(&place));
    let breaks: Vec<&Broken<'_>> = broken.iter().filter(here).collect();
    let first = broken.first().is_some_and(|first| here(&first));
    let lead = broken.first().map(|first| first.verdict.oracle);
    let class = match (first, breaks.is_empty()) {
        (true, _) => "first",
        (false, false) => "also",
        (false, true) => "",
    };
    html! {
        li id=(format!("{id}-{}", event.place)) class=[Some(class).filter(|class| !class.is_empty())]
            data-k=(event.tokens.join(" ")) {
            (lanes.draw(event, next))
            details {
                summary {
                    (life(event.life)) " " (event.words)
                    @for broken in &breaks {
                        " " span.breaks.lead[Some(broken.verdict.oracle) == lead] { (broken.verdict.oracle) " breaks here" }
                    }
                }
                dl {
                    dt { "event" } dd { (event.place) }
                    @for (name, value) in &event.details {
                        dt { (name) } dd { bdi { (value) } }
                    }
                    @for broken in &breaks {
                        dt { "broken" } dd { (broken.verdict.oracle) ": " (broken.promise) }
                    }
                }
            }
        }
    }
}

/// Promises whose violation shows only at the end.
fn in_the_end(broken: &[Broken<'_>]) -> Markup {
    let unplaced = broken.iter().filter(|broken| broken.place.is_none());
    html! {
        @for broken in unplaced {
            p.end {
                span.breaks { (broken.verdict.oracle) }
                @if broken.kind == Kind::Liveness { " was never fulfilled" }
                @else { " is broken at the end" }
            }
        }
    }
}
