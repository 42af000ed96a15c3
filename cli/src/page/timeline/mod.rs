//! The timeline: lanes, and beside them what happened, a line each. A line opens for its details.

pub(super) mod happening;
mod lanes;

use crashpoint_simulator::History;
use crashpoint_simulator::oracle::Kind;
use maud::{Markup, html};

use crate::page::Broken;
use crate::page::timeline::happening::Happening;
use crate::page::timeline::lanes::Lanes;
use crate::page::words::life;

/// What the marks mean.
const LEGEND: &str = "Time goes down. A thick lane is a task at work; a triangle begins an attempt, \
    upward an undo. A line to the right reaches the store: dashed it was only sent, a dot there is \
    a durable row, a diamond a claim, a filled dot at the life an acknowledgement. A diamond on the \
    left is an effect in the world, hollow where it takes back or changed nothing. A cross is a \
    crash, or a failure where it is small; a square is an end, filled where the run has one.";

pub(in crate::page) fn timeline(
    history: &History,
    happenings: &[Happening],
    broken: &[Broken<'_>],
    id: &str,
) -> Markup {
    let lanes = Lanes::of(history);
    let width = format!("--lanes:{}px", lanes.width());
    html! {
        div.timeline style=(width) {
            div.top { (lanes.head()) span.note { "select a line for its details" } }
            ol {
                @for (index, happening) in happenings.iter().enumerate() {
                    @let next = happenings.get(index + 1).map_or(history.0.len(), |next| next.place);
                    (line(&lanes, happening, next, broken, id))
                }
            }
            (in_the_end(broken))
        }
        details.legend { summary { "what the marks mean" } p { (LEGEND) } }
    }
}

fn line(
    lanes: &Lanes,
    happening: &Happening,
    next: usize,
    broken: &[Broken<'_>],
    id: &str,
) -> Markup {
    let places = happening.place..next;
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
        li id=(format!("{id}-{}", happening.place)) class=[Some(class).filter(|class| !class.is_empty())]
            data-k=(happening.tokens.join(" ")) {
            (lanes.draw(happening, next))
            details {
                summary {
                    (life(happening.life)) " " (happening.words)
                    @for broken in &breaks {
                        " " span.breaks.lead[Some(broken.verdict.oracle) == lead] { (broken.verdict.oracle) " breaks here" }
                    }
                }
                dl {
                    dt { "event" } dd { (happening.place) }
                    @for (name, value) in &happening.details {
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

/// What only the end shows to be broken.
fn in_the_end(broken: &[Broken<'_>]) -> Markup {
    let unplaced = broken.iter().filter(|broken| broken.place.is_none());
    html! {
        @for broken in unplaced {
            p.end {
                span.breaks { (broken.verdict.oracle) }
                @if broken.kind == Kind::Liveness { " never came true" }
                @else { " is broken in the end" }
            }
        }
    }
}
