//! A badge: the result of a certificate as a small picture.

use crashpoint_conformance::{Level, Outcome, Report};
use maud::{Markup, PreEscaped, html};
use unicode_width::UnicodeWidthStr as _;

/// Left of the line.
const LABEL: &str = "crashpoint";

/// The height of the picture, and of its text, in pixels.
const HEIGHT: usize = 20;
/// How wide a character of 11 pixels is at most on average, in pixels; the text is fitted to it.
const CHARACTER: usize = 7;
/// Left and right of a text.
const PADDING: usize = 6;

/// The badge of several reports: that of the lowest.
pub fn of_all(reports: &[Report]) -> String {
    let least = reports.iter().min_by_key(|report| rank(report));
    let (text, colour) = least.map_or(("no results".to_owned(), GREY), said);
    let svg = svg(&text, colour, Some("http://www.w3.org/2000/svg"));
    format!("{}\n", svg.into_string())
}

/// The badge of one report, for a page.
pub(crate) fn inline(report: &Report) -> Markup {
    let (text, colour) = said(report);
    svg(&text, colour, None)
}

const GREY: &str = "#5b6470";
const RED: &str = "#b3192b";
const AMBER: &str = "#8a5200";
const GREEN: &str = "#146c3a";

/// The order of results, lowest first.
fn rank(report: &Report) -> (u8, Option<Level>) {
    let outcome = match report.outcome() {
        Outcome::Failed => 0,
        Outcome::Incomplete => 1,
        Outcome::Passed => 2,
    };
    (outcome, report.level())
}

fn said(report: &Report) -> (String, &'static str) {
    let level = report.level();
    match (report.outcome(), level) {
        (Outcome::Failed, _) => ("failed".to_owned(), RED),
        (Outcome::Incomplete, _) => ("incomplete".to_owned(), GREY),
        (Outcome::Passed, None) => ("no level".to_owned(), AMBER),
        (Outcome::Passed, Some(level)) => (format!("{level} {}", level.title()), GREEN),
    }
}

/// All of it is fixed text of ours; the templates escape it all the same.
fn svg(text: &str, colour: &str, namespace: Option<&str>) -> Markup {
    let width = |text: &str| text.width() * CHARACTER + 2 * PADDING;
    let (left, right) = (width(LABEL), width(text));
    let spoken = format!("{LABEL}: {text}");
    let both = left + right;
    let word = |text: &str, x: usize, room: usize| {
        html! {
            text x=(x) y="14" textLength=(room - 2 * PADDING) fill="#ffffff" { (text) }
        }
    };
    html! {
        @if namespace.is_some() { (PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")) }
        svg.badge xmlns=[namespace] width=(both) height=(HEIGHT) viewBox=(format!("0 0 {both} {HEIGHT}"))
            role="img" aria-label=(spoken) {
            title { (spoken) }
            rect width=(both) height=(HEIGHT) rx="3" fill="#2f3742" {}
            rect x=(left) width=(right) height=(HEIGHT) rx="3" fill=(colour) {}
            rect x=(left) width="4" height=(HEIGHT) fill=(colour) {}
            g font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" lengthAdjust="spacingAndGlyphs" {
                (word(LABEL, PADDING, left))
                (word(text, left + PADDING, right))
            }
        }
    }
}
