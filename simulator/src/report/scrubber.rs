//! The steps of a simulation as a part of a page. Without a script it is a list in a fold, each item with its
//! events; a script shows one event at a time.

use std::fmt::Write as _;

use crate::report::steps::{Section, Span, Steps};

/// The styles of the part.
pub const STYLE: &str = include_str!("scrubber.css");

/// The script of the part. It needs no other.
pub const SCRIPT: &str = include_str!("scrubber.js");

/// The part of a page. `broken` is the event at which a promise broke first. The script opens the fold at
/// that event, or at `shown` if none is known; without both it stays closed at the first event.
pub fn markup(steps: &Steps, broken: Option<usize>, shown: Option<usize>) -> String {
    let last = steps.events.len().saturating_sub(1);
    let shown = broken.or(shown);
    let first = shown.unwrap_or(0).min(last);
    let open = if shown.is_some() { " data-open" } else { "" };
    let mut page = String::new();
    _ = writeln!(
        page,
        "<details class=\"steps\"{open}><summary>Step by step</summary>"
    );
    _ = write!(
        page,
        "<p class=\"controls\" hidden>\
         <button type=\"button\" data-go=\"first\" aria-label=\"first event\">&#8676;</button> \
         <button type=\"button\" data-go=\"back\" aria-label=\"event before\">&#8592;</button> \
         <input type=\"range\" min=\"0\" max=\"{last}\" value=\"{first}\" aria-label=\"event\"> \
         <button type=\"button\" data-go=\"on\" aria-label=\"next event\">&#8594;</button> \
         <button type=\"button\" data-go=\"last\" aria-label=\"last event\">&#8677;</button> "
    );
    if let Some(broken) = broken {
        _ = write!(
            page,
            "<button type=\"button\" data-go=\"{broken}\">where it breaks</button> "
        );
    }
    page.push_str("<output aria-live=\"polite\"></output></p>\n");
    let events = steps.events.iter().enumerate();
    let events = events.map(|(at, words)| Span {
        from: at,
        to: Some(at + 1),
        words: words.clone(),
    });
    let events = Section {
        title: "event".to_owned(),
        is_optional: false,
        spans: events.collect(),
    };
    page.push_str("<div class=\"step\">\n");
    for section in [&events].into_iter().chain(&steps.sections) {
        write_section(&mut page, section);
    }
    page.push_str("</div></details>\n");
    page
}

fn write_section(page: &mut String, section: &Section) {
    let class = match section.is_optional {
        true => " class=\"optional\"",
        false => "",
    };
    let title = escaped(&section.title);
    _ = writeln!(page, "<section{class}><h3>{title}</h3><ul>");
    for Span { from, to, words } in &section.spans {
        let (until, range) = match to {
            None => (String::new(), format!("from event {from} on")),
            Some(to) if *to == from + 1 => (format!(" data-to=\"{to}\""), format!("event {from}")),
            Some(to) => (
                format!(" data-to=\"{to}\""),
                format!("events {from} to {}", to - 1),
            ),
        };
        let words = escaped(words);
        _ = writeln!(
            page,
            "<li data-from=\"{from}\"{until}><span class=\"range\">{range}: </span>{words}</li>"
        );
    }
    page.push_str("</ul></section>\n");
}

/// A text in HTML. Invisible characters are escaped before.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
