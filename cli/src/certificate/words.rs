//! Phrases that every form of a certificate uses.

use std::time::Duration;

use crashpoint_conformance::{Claim, HeldBack, LawReport, Level, Report};
use crashpoint_simulator::render::escaped_full;

use crate::text::{counted, instant};

/// `850 ms`, `12.4 s`
pub(crate) fn time(millis: u64) -> String {
    if millis < 1000 {
        format!("{millis} ms")
    } else {
        format!("{:.1} s", Duration::from_millis(millis).as_secs_f64())
    }
}

/// The time that these laws took together.
pub(crate) fn time_of(laws: &[LawReport]) -> String {
    let sum = |sum: u64, law: &LawReport| sum.saturating_add(law.millis);
    time(laws.iter().fold(0, sum))
}

/// `44.1 s total, 212.3 s of laws in parallel`; without the second if laws ran one by one.
pub(crate) fn total_time(report: &Report) -> String {
    let (passed, of_laws) = (report.millis(), report.millis_of_laws());
    let total = format!("{} total", time(passed));
    // A law's end is noted a little after it.
    if of_laws > passed.saturating_add(passed / 10) {
        format!("{total}, {} of laws in parallel", time(of_laws))
    } else {
        total
    }
}

/// When a report was made, in UTC.
pub(crate) fn date(report: &Report) -> String {
    instant(report.at_ms())
}

/// The lines of a message, each safe to show. Some messages draw.
pub(crate) fn lines(message: &str) -> Vec<String> {
    message.lines().map(escaped_full).collect()
}

/// `level L2 (reopening)`, or `no level`.
pub(super) fn level(level: Option<Level>) -> String {
    level.map_or_else(
        || "no level".to_owned(),
        |level| format!("level {level} ({})", level.title()),
    )
}

/// The first law that holds a level back, and the number of the others.
pub(crate) fn held_back(held_back: &[HeldBack]) -> Option<String> {
    let first = held_back.first()?;
    let reason = first.reason.lines().next().unwrap_or_default();
    let more = held_back.len() as u64 - 1;
    let more = match more {
        0 => String::new(),
        more => format!("; {} as well", counted(more, "other law")),
    };
    Some(format!("{}: {}{more}", first.law, reason))
}

/// `118 laws: 100 pass, 18 not_claimed`
pub(crate) fn counts(report: &Report) -> String {
    let laws = counted(report.laws().len() as u64, "law");
    format!("{laws}: {}", report.counts())
}

/// The claims, separated by commas.
pub(crate) fn claims(report: &Report) -> String {
    let words: Vec<_> = report.claims().map(Claim::word).collect();
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}
