//! `crashpoint explore`: which schedules of which workloads run, and how the findings are printed.

mod json;
mod legend;
mod page;
mod points;
mod report;
mod table;
pub(crate) mod vacuity;
mod workers;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use crashpoint_simulator::{
    Nondeterminism, OperationsPart, Part, Recording, Repeat, Settings, Violation, operations,
    oracle, parts, render, replay, replay_recording,
};

use crate::arguments::{ExploreArguments, Store};
use crate::exit::{Exit, Failure};
use crate::explore::report::{Bounds, ExplorationReport, Row};
use crate::explore::workers::{Exploration, PartOf, explore_all};
use crate::page::File;
use crate::process::pool;
use crate::process::progress::Stopwatch;
use crate::replay::operations::story;
use crate::replay::rerun;
use crate::replay::shrink;
use crate::text::{fitted, wrapped};
use crate::workloads::{self, Subject};

/// The number of random schedules per row, beyond the exhaustive ones.
pub(crate) const SAMPLES: u64 = 100;

/// The number of violations printed in full after the table; the others are counted.
const STORIES_MAX: usize = 3;

pub(crate) fn run(arguments: &ExploreArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let page = arguments.html.as_deref().map(File::create);
    let page = page.transpose()?;
    let report = run_schedules(arguments)?;
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

/// Runs the requested schedules.
pub(crate) fn run_schedules(arguments: &ExploreArguments) -> Result<ExplorationReport, Failure> {
    let ExploreArguments {
        workload,
        store,
        lane,
        crashes,
        within,
        mutant,
        jobs,
        // How the findings are printed changes nothing about them.
        json: _,
        html: _,
    } = arguments;
    let subjects = workloads::subjects(workload, mutant.as_deref(), *lane)?;
    let watch = Stopwatch::start();
    let bounds = |subject: &Subject, store: Store| match *within {
        Some(budget) => Bounds::Within(budget),
        None => Bounds::Crashes(crashes.unwrap_or_else(|| match subject {
            Subject::Workload(_) => store.crashes(),
            Subject::Operations(_) => operations::DEFAULT_CRASHES,
        })),
    };
    let is_alone = subjects.len() == 1;
    let only_upgrades = subjects.iter().all(Subject::is_upgrade);
    let is_plain = within.is_none() && *crashes != Some(0);
    let mut rows: Vec<Row> = Vec::new();
    for store in store {
        // Among workloads, operations and upgrades are explored by their campaigns only, and upgrades over
        // memory: what a log means to another release does not depend on the store.
        let is_run = |subject: &&Subject| match subject {
            _ if subject.is_upgrade() => only_upgrades || (is_plain && *store == Store::Memory),
            Subject::Workload(_) => true,
            Subject::Operations(_) => is_alone || is_plain,
        };
        let each = subjects.iter().filter(is_run);
        rows.extend(each.map(|it| Row::new(it.clone(), store.kind(), bounds(it, *store))));
    }
    let explorations = Arc::new(explorations(&rows));
    let found = explore_all(&explorations, pool(*jobs))?;
    let complete = found.iter().all(Option::is_some);
    for (exploration, found) in explorations.iter().zip(found) {
        if let Some((findings, busy)) = found {
            let row = &mut rows[exploration.row];
            assert_eq!(
                row.store, exploration.settings.store,
                "a part is made from the settings of its row"
            );
            row.add(findings, busy);
        }
    }
    let elapsed = watch.elapsed();
    Ok(ExplorationReport {
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
            repeat: Repeat::OneIn(Repeat::ONE_IN),
            ..Settings::within(budget)
        };
        let mut add = |settings: &Settings, parts: Vec<PartOf>| {
            explorations.extend(parts.into_iter().map(|part| Exploration {
                row: index,
                settings: settings.clone(),
                part,
            }));
        };
        for budget in row.campaigns() {
            let settings = settings(budget);
            add(&settings, parts_of(&row.subject, &settings));
        }
        if let Some(budget) = row.sampled() {
            add(&settings(budget), sampled(&row.subject));
        }
    }
    explorations
}

/// The parts of the schedules that are exhausted.
fn parts_of(subject: &Subject, settings: &Settings) -> Vec<PartOf> {
    match subject {
        Subject::Workload(workload) => {
            let parts = parts(workload, settings).into_iter();
            let part = |part| PartOf::Workload(Arc::clone(workload), part);
            parts.map(part).collect()
        }
        Subject::Operations(operations) => {
            let all = OperationsPart::within(settings).into_iter();
            all.map(|part| PartOf::Operations(*operations, part))
                .collect()
        }
    }
}

/// The schedules that are sampled.
fn sampled(subject: &Subject) -> Vec<PartOf> {
    match subject {
        Subject::Workload(workload) => {
            let part = Part::sampled(0..SAMPLES);
            vec![PartOf::Workload(Arc::clone(workload), part)]
        }
        Subject::Operations(operations) => {
            // In several parts, so that no thread is left with all of them at the end.
            let seeds = 0..operations::SAMPLES;
            let firsts = seeds.step_by(SAMPLES as usize);
            let parts = firsts.map(|first| OperationsPart::sampled(first..first + SAMPLES));
            parts
                .map(|part| PartOf::Operations(*operations, part))
                .collect()
        }
    }
}

const _: () = assert!(
    operations::SAMPLES.is_multiple_of(SAMPLES),
    "the parts of the samples are whole"
);

/// Selects violations to print, those with the fewest faults first: one for each `key`, and each
/// schedule once.
pub(crate) fn representative<'a, R: Ord>(
    violations: impl Iterator<Item = (&'a Row, &'a Violation)>,
    key: impl Fn(&'a Row, &'a Violation) -> R,
) -> Vec<(&'a Row, &'a Violation)> {
    let mut violations: Vec<_> = violations.collect();
    violations.sort_by_key(|(_, violation)| violation.schedule.0.len());
    let (mut keys, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    violations.retain(|(row, violation)| {
        keys.insert(key(row, violation)) && tokens.insert(violation.token.to_string())
    });
    violations
}

/// Prints where schedules ran differently the second time, and some violations in full.
fn stories(rows: &[Row], out: &mut impl Write) -> Result<(), Failure> {
    for row in rows {
        if let Some(first) = row.findings.nondeterminism.first() {
            nondeterminism(row, first, out)?;
        }
    }
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let violations = rows.iter().flat_map(each);
    let total = violations.clone().count();
    let mut shown = representative(violations, |_, violation| violation.oracle);
    shown.truncate(STORIES_MAX);
    shown.retain(|(row, _)| row.is_deterministic());
    for (row, violation) in &shown {
        let (name, store, oracle) = (row.name(), row.store, violation.oracle);
        let message = render::escaped_line(&violation.message);
        let heading = format!("{name} over {store} violates {oracle}: {message}");
        writeln!(out, "\n{}", wrapped(&heading))?;
        write!(out, "{}", fitted(&retold(&row.subject, violation)?))?;
        let command = rerun::replay_command(&violation.token);
        writeln!(out, "replay it: {command}")?;
    }
    assert!(
        shown.len() <= total,
        "the violations shown are a selection of all"
    );
    let hidden = total - shown.len();
    if hidden > 0 {
        writeln!(out, "\n{hidden} more violations; --json lists them all")?;
    }
    Ok(())
}

/// The story of a violation, from a replay of it.
fn retold(subject: &Subject, violation: &Violation) -> Result<String, Failure> {
    match subject {
        Subject::Workload(workload) => {
            let run = replay(workload, &violation.token)?;
            let verdicts = oracle::judge(workload, &run);
            let releases = render::releases(workload, &run.history);
            Ok(format!("{releases}{}", render::story(&run, &verdicts)))
        }
        Subject::Operations(operations) => {
            let recording = Recording::Token(violation.token.clone());
            Ok(story(&replay_recording(operations, &recording)?))
        }
    }
}

/// Prints the first event in which two runs of a schedule differ.
fn nondeterminism(row: &Row, first: &Nondeterminism, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{} over {} is not deterministic: a schedule ran differently the second time",
        row.name(),
        row.store
    )?;
    write!(out, "{}", shrink::schedule(&first.schedule))?;
    writeln!(out, "{}", first.divergence)?;
    writeln!(out, "{}", render::NONDETERMINISM)?;
    writeln!(out, "replay it: {}", rerun::replay_command(&first.token))
}
