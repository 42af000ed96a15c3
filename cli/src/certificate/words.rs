//! Phrases that every form of a certificate uses.

use std::time::Duration;

use crashpoint_conformance::{Claim, HeldBack, LawId, LawReport, Lead, Level, Report, Verdict};
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

/// The verdict in prose: `not claimed`.
pub(crate) fn spoken(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail(_) => "failed",
        Verdict::Waived(_) => "waived",
        Verdict::ExpectedFail(_) => "failed as expected",
        Verdict::NotClaimed(_) => "not claimed",
        Verdict::NotRun(_) => "not run",
        Verdict::Inconclusive(_) => "inconclusive",
        Verdict::HarnessError(_) => "harness error",
    }
}

/// `100 passed, 18 not claimed`
pub(crate) fn spoken_counts(report: &Report) -> String {
    let mut counts: Vec<(&str, &str, usize)> = Vec::new();
    for law in report.laws() {
        let (word, spoken) = (law.verdict.word(), spoken(&law.verdict));
        match counts.iter_mut().find(|(known, ..)| *known == word) {
            Some((.., count)) => *count += 1,
            None => counts.push((word, spoken, 1)),
        }
    }
    counts.sort_by_key(|(word, ..)| Verdict::WORDS.iter().position(|known| known == word));
    let counts = counts.iter();
    let counts: Vec<String> = counts
        .map(|(_, spoken, count)| format!("{count} {spoken}"))
        .collect();
    counts.join(", ")
}

/// The laws to look at first with what follows from each, where something does.
pub(crate) fn leads(report: &Report) -> Vec<Lead> {
    let leads = report.leads().into_iter();
    leads.filter(|lead| !lead.follow.is_empty()).collect()
}

/// `BAS-03, DUP-01`
pub(crate) fn ids(laws: &[LawId]) -> String {
    let ids: Vec<String> = laws.iter().map(ToString::to_string).collect();
    ids.join(", ")
}

/// The laws of a report that have a message, those to look at first before those that follow from them.
pub(crate) fn in_order_of_leads(report: &Report) -> Vec<&LawReport> {
    let leads = report.leads();
    let place = |law: &LawReport| {
        let id = law.law.id;
        let lead = leads.iter().position(|lead| lead.law == id);
        let follows = leads.iter().position(|lead| lead.follow.contains(&id));
        match (lead, follows) {
            (Some(place), _) => (0, place),
            (None, Some(place)) => (1, place),
            (None, None) => (2, 0),
        }
    };
    let mut laws: Vec<&LawReport> = report.laws().iter().collect();
    laws.sort_by_key(|law| (place(law), law.law.id));
    laws
}

/// `kit 0.1.0, system linux 6.1`, or nothing.
pub(crate) fn environment(report: &Report) -> Option<String> {
    let facts = report.environment().iter();
    let facts: Vec<String> = facts
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    (!facts.is_empty()).then(|| escaped_full(&facts.join(", ")))
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
