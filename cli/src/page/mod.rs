//! Pages: one file without a network, a font or a framework, which a browser shows and a printer
//! prints. Scripts only add to it.
//!
//! What comes from a user is escaped twice: what is not plainly visible by
//! [`whole`](crashpoint_simulator::render::whole),
//! what HTML would take for its own by the templates. This module decides nothing: it shows what
//! the oracles and the laws say.

mod file;
pub mod graph;
mod ledger;
mod log;
mod moment;
mod row;
pub(crate) mod story;
mod timeline;
pub(crate) mod words;

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::workload::Workload;
use crashpoint_simulator::{Run, StoreKind};
use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use file::File;
pub use moment::{Broken, broken};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A schedule that was run, for its page.
#[derive(Debug, Clone, Copy)]
pub struct Schedule<'a> {
    /// What was run.
    pub workload: &'a Workload,
    /// What came of it.
    pub run: &'a Run,
    /// What the oracles say of that.
    pub verdicts: &'a [Verdict],
    /// The store under it.
    pub store: StoreKind,
    /// What to type to see it again.
    pub command: &'a str,
}

/// The page about one schedule.
pub fn of_schedule(schedule: &Schedule<'_>) -> String {
    let title = format!("{} over {}", schedule.workload.name, schedule.store);
    let body = html! {
        header {
            p.product { "Crashpoint: one schedule, explained" }
            h1 { (words::shown(&schedule.workload.name)) " over " (schedule.store) }
            p { (words::shown(schedule.workload.about)) }
        }
        main { (story::story(schedule, "s")) }
    };
    document(&title, &body)
}

/// A whole document around a body.
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
                title { (crashpoint_simulator::render::whole(title)) " - Crashpoint" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                div #tip role="status" hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}
