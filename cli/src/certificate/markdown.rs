//! Certificates as Markdown, for a repository or a release.

use std::fmt::Write as _;

use crashpoint_conformance::{LawReport, Merged, Report, Verdict};

use crate::certificate::shown_remarks;
use crate::certificate::words::{
    claims, counts, date, environment, held_back, ids, in_order_of_leads, leads, level, lines,
    time, total_time,
};
use crate::text::{counted, escape};

/// Every report, and the skipped lines.
pub fn of_all(merged: &Merged) -> String {
    let mut text = String::new();
    for report in &merged.reports {
        one(&mut text, report);
    }
    let (remarks, more) = shown_remarks(&merged.remarks);
    if !remarks.is_empty() {
        text.push_str("## Skipped\n\n");
    }
    for remark in remarks {
        let _ = writeln!(text, "- {}", escape::markdown(&remark.to_string()));
    }
    if more > 0 {
        let _ = writeln!(text, "- {} more", counted(more as u64, "remark"));
    }
    text
}

// Writing to a string never fails, so the results of `write!` are ignored.
fn one(text: &mut String, report: &Report) {
    let _ = writeln!(text, "# {}\n", escape::markdown(&report.name().to_string()));
    let (outcome, level) = (report.outcome().word(), level(report.level()));
    let _ = writeln!(
        text,
        "**{outcome}, {level}** against contract {}\n",
        report.contract()
    );
    let _ = writeln!(text, "- claims: {}", claims(report));
    if let Some(environment) = environment(report) {
        let _ = writeln!(text, "- environment: {}", escape::markdown(&environment));
    }
    let _ = writeln!(text, "- {}", counts(report));
    let _ = writeln!(text, "- {}, {}\n", date(report), total_time(report));
    ladder(text, report);
    reasons(text, "Waived", &report.waived().collect::<Vec<_>>());
    reasons(
        text,
        "Expected to fail",
        &report.expected_to_fail().collect::<Vec<_>>(),
    );
    let failed = |law: &LawReport| law.verdict != Verdict::Pass || law.unsteady.is_some();
    let mut messages = in_order_of_leads(report);
    messages.retain(|law| failed(law) && says_more(law));
    if !messages.is_empty() {
        text.push_str("## Messages\n\n");
    }
    for lead in leads(report) {
        let _ = writeln!(text, "**{lead}**: {}\n", ids(&lead.follow));
    }
    for law in messages {
        message(text, law);
    }
    laws(text, report);
}

/// Whether a law has a message that is worth a paragraph.
fn says_more(law: &LawReport) -> bool {
    law.unsteady.is_some()
        || matches!(
            law.verdict,
            Verdict::Fail(_) | Verdict::Inconclusive(_) | Verdict::HarnessError(_)
        )
}

fn ladder(text: &mut String, report: &Report) {
    text.push_str("| level | adds | laws | reached |\n|---|---|---|---|\n");
    let reached = report.level();
    for rung in report.ladder() {
        let line = match held_back(&rung.held_back) {
            Some(why) => format!("no, {}", escape::markdown(&why)),
            None if Some(rung.level) <= reached => "yes".to_owned(),
            None => "no, because a lower level is not".to_owned(),
        };
        let (level, title, laws) = (rung.level, rung.level.title(), rung.laws);
        let _ = writeln!(text, "| {level} | {title} | {laws} | {line} |");
    }
    text.push('\n');
}

fn reasons(text: &mut String, title: &str, reasons: &[(crashpoint_conformance::LawId, &str)]) {
    if reasons.is_empty() {
        return;
    }
    let _ = writeln!(text, "## {title}\n");
    for (law, reason) in reasons {
        let _ = writeln!(text, "- {law}: {}", escape::markdown(reason));
    }
    text.push('\n');
}

fn message(text: &mut String, report: &LawReport) {
    let (id, sentence) = (report.law.id, escape::markdown(report.law.sentence));
    let _ = writeln!(text, "### {id} {sentence}\n");
    let _ = writeln!(text, "{}:\n", report.verdict.word());
    let mut said = lines(report.verdict.reason().unwrap_or_default());
    if let Some(before) = &report.unsteady {
        said.push("failed before, in the same build:".to_owned());
        said.extend(lines(before));
    }
    // No text of a message can end an indented block.
    for line in said {
        let _ = writeln!(text, "    {line}");
    }
    if matches!(report.verdict, Verdict::Fail(_)) || report.unsteady.is_some() {
        let help = report.help();
        let _ = writeln!(
            text,
            "\nWhy: {}\n\nUsual cause: {}\n\nFix: {}",
            escape::markdown(help.why),
            escape::markdown(help.cause),
            escape::markdown(help.fix)
        );
    }
    text.push('\n');
}

fn laws(text: &mut String, report: &Report) {
    text.push_str("## Laws\n");
    for laws in report
        .laws()
        .chunk_by(|one, other| one.law.group == other.law.group)
    {
        let _ = writeln!(text, "\n### {}\n", laws[0].law.group.title);
        text.push_str("| law | | verdict | time |\n|---|---|---|---|\n");
        for each in laws {
            let law = each.law;
            let mut verdict = each.verdict.word().to_owned();
            if let Verdict::NotClaimed(reason) | Verdict::Waived(reason) | Verdict::NotRun(reason) =
                &each.verdict
            {
                let _ = write!(verdict, ": {}", escape::markdown(reason));
            }
            let (sentence, time) = (escape::markdown(law.sentence), time(each.millis));
            let _ = writeln!(text, "| {} | {sentence} | {verdict} | {time} |", law.id);
        }
    }
    text.push('\n');
}
