//! The page of certificates: the laws that each store passed, and those that hold back a level.

use crashpoint_conformance::{
    Claim, LawId, LawReport, Lead, Merged, Outcome, Remark, Report, Rung, Verdict,
};
use crashpoint_simulator::render::escaped_full;
use maud::{Markup, html};

use crate::certificate::words::{
    date, in_order_of_leads, leads, lines, spoken, spoken_counts, time, time_of, total_time,
};
use crate::certificate::{badge, shown_remarks};
use crate::page::document;
use crate::page::words::message;
use crate::text::counted;

/// The page of all reports.
pub fn of_certificates(merged: &Merged) -> String {
    let reports = &merged.reports;
    let title = match &reports[..] {
        [one] => one.name().to_string(),
        several => counted(several.len() as u64, "certificate"),
    };
    let body = html! {
        header {
            p.product { "Crashpoint: conformance of checkpoint stores" }
            h1 { bdi { (escaped_full(&title)) } }
            @if reports.len() > 1 {
                nav { ul {
                    @for (index, report) in reports.iter().enumerate() {
                        li { a href=(format!("#c{index}")) { bdi { (escaped_full(&report.name().to_string())) } } ": " (verdict(report)) }
                    }
                } }
            }
        }
        main {
            (remarks(&merged.remarks))
            @for (index, report) in reports.iter().enumerate() {
                article.certificate id=(format!("c{index}")) { (certificate(report, index, reports.len() > 1)) }
            }
        }
    };
    document(&title, &body)
}

fn verdict(report: &Report) -> String {
    let outcome = match report.outcome() {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Incomplete => "incomplete",
    };
    let level = report.level();
    level.map_or_else(
        || format!("{outcome}, no level"),
        |level| format!("{outcome}, {level} {}", level.title()),
    )
}

fn certificate(report: &Report, index: usize, named: bool) -> Markup {
    let outcome = report.outcome();
    html! {
        @if named { h2 { bdi { (escaped_full(&report.name().to_string())) } } }
        section.verdict.held[outcome == Outcome::Passed].violated[outcome == Outcome::Failed].unknown[outcome == Outcome::Incomplete] {
            p.message { (verdict(report)) }
            p { (counted(report.laws().len() as u64, "law")) ": " (spoken_counts(report)) }
            p.note { "Contract " (report.contract()) ", " (date(report)) ", " (total_time(report)) }
            @if report.is_partial() { p.warn { "Part of the catalogue." } }
            (badge::inline(report))
        }
        div.columns {
            section { h3 { "Levels" } (ladder(report, index)) }
            section { h3 { "Claims" } (claims(report)) (environment(report)) }
        }
        (reasons("Waived", &report.waived().collect::<Vec<_>>(), index))
        (reasons("Expected to fail", &report.expected_to_fail().collect::<Vec<_>>(), index))
        (troubles(report, index))
        section {
            h3 { "Laws" }
            @for laws in report.laws().chunk_by(|one, other| one.law.group == other.law.group) {
                (group(laws, index))
            }
        }
    }
}

fn ladder(report: &Report, index: usize) -> Markup {
    let reached = report.level();
    html! {
        ol.ladder {
            @for rung in report.ladder() {
                li.reached[Some(rung.level) <= reached] {
                    strong { (rung.level) " " (rung.level.title()) }
                    " "
                    @if Some(rung.level) <= reached {
                        span.good { "reached, " (counted(rung.laws as u64, "law")) " passed" }
                    } @else { (held_back(&rung, report, index)) }
                }
            }
        }
    }
}

/// The number of laws listed per level; the others are collapsed.
const NAMED_MAX: usize = 3;

fn held_back(rung: &Rung, report: &Report, index: usize) -> Markup {
    let about = |law: &str| {
        let mut laws = report.laws().iter();
        laws.find(|each| each.law.id.to_string() == law)
    };
    let one = |law: &str, reason: &str| {
        let reason = match about(law) {
            Some(report) if report.unsteady.is_none() => {
                let reason = report.verdict.reason().unwrap_or_default();
                format!("{}: {reason}", spoken(&report.verdict))
            }
            _ => reason.to_owned(),
        };
        html! { li {
            @if about(law).is_some() { a href=(format!("#c{index}-{law}")) { (law) } } @else { (law) }
            ": " (said(reason.lines().next().unwrap_or_default()))
        } }
    };
    let is_broken = rung
        .held_back
        .iter()
        .any(|held| about(&held.law).is_some_and(has_failed));
    let (first, rest) = rung.held_back.split_at(rung.held_back.len().min(NAMED_MAX));
    html! {
        @if first.is_empty() { span.faint { "not reached, because a lower level is not" } }
        @else {
            span.bad[is_broken].faint[!is_broken] { "not reached" }
            ul { @for held in first { (one(&held.law, &held.reason)) } }
            @if !rest.is_empty() {
                details {
                    summary { (counted(rest.len() as u64, "other law")) }
                    ul { @for held in rest { (one(&held.law, &held.reason)) } }
                }
            }
        }
    }
}

fn claims(report: &Report) -> Markup {
    let mut words = report.claims().map(Claim::word).peekable();
    html! {
        @if words.peek().is_none() { p.note { "Nothing beyond the contract." } }
        ul.chips { @for word in words { li { code { (word) } } } }
    }
}

fn environment(report: &Report) -> Markup {
    html! {
        @if !report.environment().is_empty() {
            h3 { "Environment" }
            dl {
                @for (name, value) in report.environment() {
                    dt { (message(name)) } dd { bdi { (message(value)) } }
                }
            }
        }
    }
}

fn reasons(title: &str, reasons: &[(LawId, &str)], index: usize) -> Markup {
    html! {
        @if !reasons.is_empty() {
            section {
                h3 { (title) }
                ul { @for (law, reason) in reasons {
                    li { a href=(format!("#c{index}-{law}")) { (law) } ": " (message(reason)) }
                } }
            }
        }
    }
}

/// Whether the store broke a law.
fn has_failed(law: &LawReport) -> bool {
    law.unsteady.is_some() || matches!(law.verdict, Verdict::Fail(_)) && !law.is_advice()
}

/// Whether the result of a law is unexpected, given what the store declares.
fn is_trouble(law: &&LawReport) -> bool {
    law.unsteady.is_some()
        || matches!(
            law.verdict,
            Verdict::Fail(_) | Verdict::Inconclusive(_) | Verdict::HarnessError(_)
        )
}

fn troubles(report: &Report, index: usize) -> Markup {
    let mut troubles = in_order_of_leads(report);
    troubles.retain(is_trouble);
    html! {
        @if !troubles.is_empty() {
            section {
                h3 { "What was found" }
                @for lead in leads(report) { (first(&lead, index)) }
                @for law in troubles {
                    div.trouble.failed[has_failed(law)] {
                        p {
                            span class=(colour(law)) { (spoken(&law.verdict)) } " "
                            a href=(format!("#c{index}-{}", law.law.id)) { (law.law.id) } " "
                            strong { (prose(law.law.sentence)) }
                            @if law.is_advice() { span.note { " (advice)" } }
                        }
                        (drawn(law.verdict.reason()))
                        @if let Some(before) = &law.unsteady {
                            p.bad { "Failed before, in the same build:" }
                            (drawn(Some(before)))
                        }
                        @if matches!(law.verdict, Verdict::Fail(_)) || law.unsteady.is_some() {
                            p { strong { "Why: " } (prose(law.help().why)) }
                            p { strong { "Usual cause: " } (prose(law.help().cause)) }
                            p { strong { "Fix: " } (prose(law.help().fix)) }
                        }
                    }
                }
            }
        }
    }
}

/// Which law to look at first, and those that follow from it.
fn first(lead: &Lead, index: usize) -> Markup {
    let link = |law: &LawId| html! { a href=(format!("#c{index}-{law}")) { (law) } };
    html! {
        p.first {
            strong { "Look at " (link(&lead.law)) " first. " }
            @if lead.follow.len() == 1 { "1 law follows from it: " }
            @else { (counted(lead.follow.len() as u64, "law")) " follow from it: " }
            @for (number, law) in lead.follow.iter().enumerate() {
                @if number > 0 { ", " }
                (link(law))
            }
        }
    }
}

/// A message with its line breaks: some draw a history.
fn drawn(message: Option<&str>) -> Markup {
    let lines = message.map(lines).unwrap_or_default();
    let (sentence, drawing) = lines.split_at(lines.len().min(1));
    html! {
        // A sentence wraps, so that its end is in sight.
        @for sentence in sentence { p.said { bdi { (prose_of_others(sentence)) } } }
        @if !drawing.is_empty() { pre { bdi { (drawing.join("\n")) } } }
    }
}

/// The first line of a message, in which backticks enclose code.
fn said(message: &str) -> Markup {
    prose_of_others(&escaped_full(message))
}

/// Escaped text from outside. Backticks that are no pairs stand for themselves.
fn prose_of_others(text: &str) -> Markup {
    if text.matches('`').count().is_multiple_of(2) {
        prose(text)
    } else {
        html! { (text) }
    }
}

fn group(laws: &[LawReport], index: usize) -> Markup {
    let passed = laws
        .iter()
        .filter(|law| law.verdict == Verdict::Pass)
        .count();
    let whole = passed == laws.len();
    let to_see = |law: &LawReport| is_trouble(&law) || matches!(law.verdict, Verdict::NotRun(_));
    html! {
        details.chapter open[laws.iter().any(to_see)] {
            summary {
                strong { (laws[0].law.group.title) } ": "
                span.good[whole] { (passed) " of " (laws.len()) " passed" }
                span.note { ", " (time_of(laws)) }
            }
            div.wide { table {
                thead { tr { th { "law" } th { "" } th { "verdict" } th.number { "time" } } }
                tbody { @for law in laws { (row(law, index)) } }
            } }
        }
    }
}

fn row(report: &LawReport, index: usize) -> Markup {
    let (law, verdict) = (report.law, &report.verdict);
    // Long reasons are shown above.
    let reason = verdict.reason().filter(|_| !is_trouble(&report));
    html! {
        tr id=(format!("c{index}-{}", law.id)) {
            td.short { (law.id) }
            td { (prose(law.sentence)) @if let Some(reason) = reason { p.note { (said(reason)) } } }
            td.short { span class=(colour(report)) { (spoken(verdict)) } }
            td.number { (time(report.millis)) }
        }
    }
}

/// Red is for what failed.
fn colour(report: &LawReport) -> &'static str {
    match &report.verdict {
        _ if has_failed(report) => "bad",
        Verdict::Pass => "good",
        Verdict::Fail(_)
        | Verdict::Inconclusive(_)
        | Verdict::HarnessError(_)
        | Verdict::NotRun(_) => "warn",
        Verdict::Waived(_) | Verdict::ExpectedFail(_) | Verdict::NotClaimed(_) => "note",
    }
}

fn remarks(remarks: &[Remark]) -> Markup {
    let (shown, more) = shown_remarks(remarks);
    html! {
        @if !shown.is_empty() {
            section.remarks {
                h3 { "Skipped" }
                ul {
                    @for remark in shown { li.bad[remark.is_damage] { (message(&remark.to_string())) } }
                    @if more > 0 { li { (counted(more as u64, "remark")) " more" } }
                }
            }
        }
    }
}

/// A fixed text of the kit, in which backticks enclose code.
fn prose(text: &str) -> Markup {
    let parts = text.split('`').enumerate();
    html! {
        @for (index, part) in parts {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}
