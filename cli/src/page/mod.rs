//! Pages: one self-contained HTML file each, without network, fonts or frameworks. They work without
//! scripts and in print.
//!
//! A user's text is escaped twice: invisible characters by
//! [`escaped_full`](crashpoint_simulator::render::escaped_full), HTML by the templates. This module decides
//! nothing: it shows the verdicts of the oracles.

mod file;
pub mod graph;
mod ledger;
mod log;
pub(crate) mod operations;
mod row;
pub(crate) mod story;
mod timeline;
pub(crate) mod words;

use crashpoint_simulator::moment::{self, Broken};
use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::scrubber;
use crashpoint_simulator::steps::Steps;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{NoReturn, Run, StoreKind};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use file::File;
pub use operations::ExplainedOperations;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A run to explain.
#[derive(Debug, Clone, Copy)]
pub struct ExplainedRun<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// The run.
    pub run: &'a Run,
    /// The verdicts of the oracles.
    pub verdicts: &'a [Verdict],
    /// The store.
    pub store: StoreKind,
    /// The command that replays it.
    pub command: &'a str,
}

impl<'a> ExplainedRun<'a> {
    /// The broken promises in the order in which they broke.
    pub fn broken(&self) -> Vec<Broken<'a>> {
        moment::broken(self.workload, self.run, self.verdicts)
    }
}

/// The page of one schedule.
pub fn of_schedule(
    schedule: &ExplainedRun<'_>,
    no_return: Option<&NoReturn>,
    steps: Option<&Steps>,
) -> String {
    let title = format!("{} over {}", schedule.workload.name, schedule.store);
    let body = html! {
        header {
            p.product { "Crashpoint: one schedule, explained" }
            h1 { (words::shown(&schedule.workload.name)) " over " (schedule.store) }
            p { (words::shown(schedule.workload.about)) }
        }
        main { (story::story(schedule, no_return, steps, "s")) }
    };
    document(&title, &body)
}

/// The page of one simulation of operations.
pub fn of_operations(explained: &ExplainedOperations<'_>) -> String {
    let (name, store) = (explained.name, explained.store);
    let body = html! {
        header {
            p.product { "Crashpoint: one schedule, explained" }
            h1 { (words::shown(name)) " over " (store) }
            p { (crashpoint_simulator::operations::ABOUT) }
        }
        main { (operations::story(explained, "s")) }
    };
    document(&format!("{name} over {store}"), &body)
}

/// A document around a body.
pub(crate) fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (crashpoint_simulator::render::escaped_full(title)) " - Crashpoint" }
                style { (PreEscaped(STYLE)) (PreEscaped(scrubber::STYLE)) }
            }
            body {
                (body)
                div #tip role="status" hidden {}
                script { (PreEscaped(SCRIPT)) (PreEscaped(scrubber::SCRIPT)) }
            }
        }
    };
    page.into_string()
}
