//! The page of a schedule of a crash test: its story as HTML, in folds, without network. It is whole without
//! its script, which steps through the events.
//!
//! The command has a richer page, with lanes and a graph, for the workloads that it knows. A crash test knows
//! only its own workflow, and shows the message of its failure.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::explore::moment;
use crate::oracle::Verdict;
use crate::report::render;
use crate::report::scrubber::{self, escaped};
use crate::report::steps::Steps;
use crate::sim::{Run, Workload};

/// The environment variable that names the file of the page.
const HTML: &str = "CRASHPOINT_HTML";

/// The sections that are open at first. A reader of the first screen needs no more.
const OPEN: [&str; 2] = ["schedule", "point of no return"];

/// The steps of a schedule, and where a reader begins.
pub(super) struct Shown {
    steps: Steps,
    /// The event at which a promise breaks.
    breaks: Option<usize>,
    /// The event that a reader sees first.
    first: Option<usize>,
}

impl Shown {
    /// `verdicts` are the broken promises; the reader begins where the first of them breaks.
    pub(super) fn of(steps: Steps, workload: &Workload, run: &Run, verdicts: &[Verdict]) -> Self {
        let broken = moment::broken(workload, run, verdicts);
        Self {
            breaks: broken.first().and_then(|first| first.place),
            first: moment::first_shown(run, &broken),
            steps,
        }
    }
}

/// Writes a message as a page, with the steps of its schedule, if the environment names a file for it.
/// Returns a line to tell about it, which begins with a line break.
pub(super) fn written(message: &str, shown: impl FnOnce() -> Option<Shown>) -> String {
    let path = std::env::var_os(HTML).filter(|path| *path != OsString::new());
    let Some(path) = path.map(PathBuf::from) else {
        return String::new();
    };
    let file = render::escaped_full(&path.display().to_string());
    match std::fs::write(&path, page(message, shown().as_ref())) {
        Ok(()) => format!("\n\nthe page of this schedule is in {file}"),
        Err(error) => format!("\n\nthe page of this schedule can't be written to {file}: {error}"),
    }
}

/// The page: the first paragraph of the message, the steps, and a fold for each section behind it.
fn page(message: &str, shown: Option<&Shown>) -> String {
    let mut page = format!("{BEGIN}<style>{}</style></head>\n<body>\n", scrubber::STYLE);
    let (head, sections) = message.split_once("\n\n").unwrap_or((message, ""));
    let mut head = head.lines();
    _ = writeln!(
        page,
        "<h1>{}</h1>",
        escaped(head.next().unwrap_or_default())
    );
    for line in head {
        _ = writeln!(page, "<p>{}</p>", escaped(line));
    }
    for (title, lines) in folds(sections) {
        let open = if OPEN.contains(&title) { " open" } else { "" };
        let (title, lines) = (escaped(title), escaped(&lines.join("\n")));
        _ = writeln!(
            page,
            "<details{open}><summary>{title}</summary><pre>{lines}</pre></details>"
        );
    }
    if let Some(Shown {
        steps,
        breaks,
        first,
    }) = shown
    {
        let markup = scrubber::markup(steps, *breaks, *first);
        let script = scrubber::SCRIPT;
        _ = writeln!(page, "{markup}<script>{script}</script>");
    }
    page.push_str(END);
    page
}

/// The sections of a message: a title begins at the margin, and its lines are indented.
fn folds(sections: &str) -> Vec<(&str, Vec<&str>)> {
    let mut folds: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in sections.lines() {
        let is_title = !line.is_empty() && !line.starts_with(' ');
        match folds.last_mut() {
            Some((_, lines)) if !is_title => lines.push(line),
            _ if is_title => folds.push((line, Vec::new())),
            _ => {}
        }
    }
    folds
}

const BEGIN: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"color-scheme\" content=\"light dark\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\
<title>Crashpoint: one schedule of a crash test</title>\
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}\
h1{font-size:1.2em}summary{font-weight:bold;cursor:pointer}\
pre{font-size:.85em;overflow-x:auto}</style>";

const END: &str = "</body></html>\n";
