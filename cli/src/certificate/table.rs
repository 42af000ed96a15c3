//! Certificates on a terminal: a table of the groups, the levels, and every law that did not pass.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};

use comfy_table::{Cell, Table, presets};
use crashpoint_conformance::{LawReport, Merged, Report, Verdict};
use crashpoint_simulator::render::escaped_full;

use crate::certificate::shown_remarks;
use crate::certificate::words::{
    claims, counts, date, environment, held_back, ids, in_order_of_leads, leads, level, lines,
    time, time_of, total_time,
};
use crate::text::counted;
use crate::text::table::right;

/// Prints reports with the laws that did not pass, or with every law.
pub(super) fn all(merged: &Merged, every_law: bool, out: &mut impl Write) -> io::Result<()> {
    let width = io::stdout().is_terminal().then(textwrap::termwidth);
    for report in &merged.reports {
        one(report, every_law, width, out)?;
    }
    let (remarks, more) = shown_remarks(&merged.remarks);
    for remark in remarks {
        put(out, width, "", &escaped_full(&remark.to_string()))?;
    }
    if more > 0 {
        writeln!(out, "{} more", counted(more as u64, "remark"))?;
    }
    Ok(())
}

fn one(
    report: &Report,
    every_law: bool,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{}", escaped_full(&report.name().to_string()))?;
    writeln!(out, "contract {}, {}", report.contract(), date(report))?;
    put(
        out,
        width,
        "        ",
        &format!("claims: {}", claims(report)),
    )?;
    if let Some(environment) = environment(report) {
        put(
            out,
            width,
            "             ",
            &format!("environment: {environment}"),
        )?;
    }
    writeln!(out, "{}", groups(report))?;
    ladder(report, width, out)?;
    let shown =
        |law: &&LawReport| every_law || law.verdict != Verdict::Pass || law.unsteady.is_some();
    let laws = match every_law {
        true => report.laws().iter().collect(),
        false => in_order_of_leads(report),
    };
    let mut shown: Vec<_> = laws.into_iter().filter(shown).collect();
    if !shown.is_empty() {
        writeln!(out)?;
    }
    for lead in leads(report) {
        let line = format!("{lead}: {}", ids(&lead.follow));
        put(out, width, INDENT, &line)?;
    }
    if !every_law {
        alike(&mut shown, width, out)?;
    }
    for law in shown {
        law_in_words(law, width, out)?;
    }
    let part = if report.is_partial() {
        ", part of the catalogue"
    } else {
        ""
    };
    let result = report.outcome().headline();
    let (level, counts, time) = (level(report.level()), counts(report), total_time(report));
    let summary = format!("{result}{part}, {level}; {counts}; {time}");
    writeln!(out)?;
    put(out, width, "", &summary)?;
    writeln!(out)
}

fn groups(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(vec!["group", "laws", "passed", "failed", "other", "time"]);
    for laws in report
        .laws()
        .chunk_by(|one, other| one.law.group == other.law.group)
    {
        let count = |which: fn(&LawReport) -> bool| laws.iter().filter(|law| which(law)).count();
        let passed = count(|law| law.verdict == Verdict::Pass);
        let failed = count(|law| matches!(law.verdict, Verdict::Fail(_)));
        assert!(passed + failed <= laws.len(), "a law has one verdict");
        let other = laws.len() - passed - failed;
        let number = |number: usize| match number {
            0 => right(String::new()),
            number => right(number.to_string()),
        };
        table.add_row(vec![
            Cell::new(laws[0].law.group.title),
            number(laws.len()),
            number(passed),
            number(failed),
            number(other),
            right(time_of(laws)),
        ]);
    }
    table
}

fn ladder(report: &Report, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let reached = report.level();
    for rung in report.ladder() {
        let (level, title) = (rung.level, rung.level.title());
        let line = match held_back(&rung.held_back) {
            Some(why) => format!("not reached, {}", escaped_full(&why)),
            None if Some(level) <= reached => {
                format!("reached, {} passed", counted(rung.laws as u64, "law"))
            }
            None => "not reached, because a lower level is not".to_owned(),
        };
        put(out, width, "   ", &format!("{level} {title}: {line}"))?;
    }
    Ok(())
}

/// Continuation lines are indented below the text after the verdict.
const INDENT: &str = "              ";

/// Prints laws that did not run for the same reason as one line, and removes them from `laws`.
fn alike(laws: &mut Vec<&LawReport>, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let mut ids: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for law in &*laws {
        if let Some(why) = why_not_run(law) {
            ids.entry(why).or_default().push(law.law.id.to_string());
        }
    }
    ids.retain(|_, ids| ids.len() > 1);
    for ((word, reason), ids) in &ids {
        let (reason, ids) = (escaped_full(reason), ids.join(", "));
        put(out, width, INDENT, &format!("{word:<13} {reason}: {ids}"))?;
    }
    laws.retain(|law| why_not_run(law).is_none_or(|why| !ids.contains_key(&why)));
    Ok(())
}

/// The verdict and the reason of a law that did not run.
fn why_not_run(law: &LawReport) -> Option<(&'static str, &str)> {
    match &law.verdict {
        Verdict::NotClaimed(reason) | Verdict::NotRun(reason) if law.unsteady.is_none() => {
            Some((law.verdict.word(), reason))
        }
        _ => None,
    }
}

fn law_in_words(report: &LawReport, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let (word, law) = (report.verdict.word(), report.law);
    let advice = if report.is_advice() { ", advisory" } else { "" };
    let took = match report.millis {
        0 if why_not_run(report).is_some() => String::new(),
        millis => format!(" ({})", time(millis)),
    };
    let line = format!("{word:<13} {} {}{took}{advice}", law.id, law.sentence);
    put(out, width, INDENT, &line)?;
    for line in report.verdict.reason().map(lines).unwrap_or_default() {
        put(out, width, INDENT, &format!("{INDENT}{line}"))?;
    }
    if let Some(before) = &report.unsteady {
        put(
            out,
            width,
            INDENT,
            &format!("{INDENT}failed before, in the same build:"),
        )?;
        for line in lines(before) {
            put(out, width, INDENT, &format!("{INDENT}{line}"))?;
        }
    }
    Ok(())
}

/// Prints a line, wrapped on a terminal, with continuation lines indented.
fn put(out: &mut impl Write, width: Option<usize>, indent: &str, line: &str) -> io::Result<()> {
    let Some(width) = width else {
        return writeln!(out, "{line}");
    };
    let options = textwrap::Options::new(width).subsequent_indent(indent);
    for line in textwrap::wrap(line, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
