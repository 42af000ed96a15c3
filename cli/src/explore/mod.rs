//! `crashpoint explore`: which schedules of which workloads, and what is told of what they came to.

mod crew;
mod json;
mod legend;
mod page;
mod points;
mod report;
mod table;
pub(crate) mod vacuity;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use crashpoint_simulator::{
    Nondeterminism, Part, Repeat, Settings, Violation, oracle, parts, render, replay,
};

use crate::arguments::ExploreArguments;
use crate::exit::{Exit, Failure};
use crate::explore::crew::{Exploration, explore_all};
use crate::explore::report::{Bounds, Report, Row};
use crate::page::File;
use crate::process::jobs;
use crate::process::progress::Stopwatch;
use crate::replay::rerun::{self, REPEATED_EVERY};
use crate::replay::shrink;
use crate::workloads as selection;

/// How many schedules of each row are drawn from seeds, beyond what is exhausted.
pub(crate) const SAMPLES: u64 = 100;

/// How many violations are told in full after the table; the others are counted.
const STORIES_MAX: usize = 3;

pub(crate) fn run(arguments: &ExploreArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let page = arguments.html.as_deref().map(File::create);
    let page = page.transpose()?;
    let report = explored(arguments)?;
    if arguments.json {
        json::json(&report, out)?;
    } else {
        table::table(&report, out)?;
        stories(&report.rows, out)?;
    }
    if let Some(page) = page {
        page.write(&page::page(&report)?)?;
    }
    Ok(report.exit())
}

/// Runs the schedules that are asked for.
pub(crate) fn explored(arguments: &ExploreArguments) -> Result<Report, Failure> {
    let mutant = arguments.mutant.as_deref();
    let workloads = selection::workloads(&arguments.workload, mutant, &[])?;
    let workloads: Vec<_> = workloads.into_iter().map(Arc::new).collect();
    let watch = Stopwatch::start();
    let mut rows: Vec<Row> = Vec::new();
    for store in &arguments.store {
        let each = workloads.iter().map(Arc::clone);
        let bounds = match arguments.within {
            Some(budget) => Bounds::Within(budget),
            None => Bounds::Crashes(arguments.crashes.unwrap_or_else(|| store.crashes())),
        };
        rows.extend(each.map(|workload| Row::new(workload, store.kind(), bounds)));
    }
    let explorations = Arc::new(explorations(&rows));
    let found = explore_all(&explorations, jobs(arguments.jobs))?;
    let complete = found.iter().all(Option::is_some);
    for (exploration, found) in explorations.iter().zip(found) {
        if let Some((findings, busy)) = found {
            rows[exploration.row].add(findings, busy);
        }
    }
    let elapsed = watch.elapsed();
    Ok(Report {
        rows,
        elapsed,
        complete,
    })
}

fn explorations(rows: &[Row]) -> Vec<Exploration> {
    let mut explorations = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let settings = |budget| Settings {
            store: row.store,
            repeat: Repeat::OneIn(REPEATED_EVERY),
            ..Settings::within(budget)
        };
        let exploration = |settings: &Settings, part| Exploration {
            row: index,
            workload: Arc::clone(&row.workload),
            settings: settings.clone(),
            part,
        };
        for budget in row.campaigns() {
            let settings = settings(budget);
            let parts = parts(&row.workload, &settings).into_iter();
            explorations.extend(parts.map(|part| exploration(&settings, part)));
        }
        if let Some(budget) = row.sampled() {
            let part = Part::sampled(0..SAMPLES);
            explorations.push(exploration(&settings(budget), part));
        }
    }
    explorations
}

/// The violations that are worth telling, the simplest schedules first: one for each `reason`, and
/// each schedule once.
pub(crate) fn telling<'a, R: Ord>(
    violations: impl Iterator<Item = (&'a Row, &'a Violation)>,
    reason: impl Fn(&'a Row, &'a Violation) -> R,
) -> Vec<(&'a Row, &'a Violation)> {
    let mut violations: Vec<_> = violations.collect();
    violations.sort_by_key(|(_, violation)| violation.schedule.0.len());
    let (mut reasons, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    violations.retain(|(row, violation)| {
        reasons.insert(reason(row, violation)) && tokens.insert(violation.token.to_string())
    });
    violations
}

/// Tells where schedules were not the same a second time, and some violations in full.
fn stories(rows: &[Row], out: &mut impl Write) -> Result<(), Failure> {
    for row in rows {
        if let Some(first) = row.findings.nondeterminism.first() {
            nondeterminism(row, first, out)?;
        }
    }
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let violations = rows.iter().flat_map(each);
    let total = violations.clone().count();
    let mut told = telling(violations, |_, violation| violation.oracle);
    told.truncate(STORIES_MAX);
    told.retain(|(row, _)| row.is_deterministic());
    for (row, violation) in &told {
        writeln!(
            out,
            "\n{} over {} violates {}: {}",
            row.name(),
            row.store,
            violation.oracle,
            render::escaped_line(&violation.message)
        )?;
        let run = replay(&row.workload, &violation.token)?;
        let verdicts = oracle::judge(&row.workload, &run);
        write!(out, "{}", render::story(&run, &verdicts))?;
        let command = rerun::command_at_hand(&violation.token);
        writeln!(out, "replay it: {command}")?;
    }
    let untold = total - told.len();
    if untold > 0 {
        writeln!(out, "\n{untold} more violations; --json lists them all")?;
    }
    Ok(())
}

/// Tells the first event of a schedule that was not the same a second time.
fn nondeterminism(row: &Row, first: &Nondeterminism, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{} over {} is not deterministic: a schedule was not the same when it was run twice",
        row.name(),
        row.store
    )?;
    write!(out, "{}", shrink::schedule(&first.schedule))?;
    writeln!(out, "{}", first.parting)?;
    writeln!(out, "{}", render::NONDETERMINISM)?;
    writeln!(out, "replay it: {}", rerun::command_at_hand(&first.token))
}
