//! `crashpoint explore`: spreads the parts of every exploration over threads, and puts what they
//! found together in the order of the parts.

use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Findings, Part, Settings, explore_part, oracle, parts, render, replay};
use indicatif::ProgressBar;

use crate::progress::{self, Stopwatch};
use crate::report::{self, Row};
use crate::{ALL, CLEAN, ExploreArguments, Failure, VIOLATED};

/// How many violations are told in full after the table; the others are counted.
const STORIES_MAX: usize = 3;

pub(crate) fn run(arguments: &ExploreArguments, out: &mut impl Write) -> Result<u8, Failure> {
    let workloads = chosen(arguments)?;
    let jobs = arguments
        .jobs
        .or_else(|| thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    let watch = Stopwatch::start();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for store in &arguments.store {
        let each = workloads.iter();
        rows.extend(each.map(|workload| Row::new(workload, store.kind(), arguments.crashes)));
    }
    let explorations = explorations(&rows);
    let found = explore_all(&explorations, jobs);
    let targets: Vec<usize> = explorations
        .iter()
        .map(|exploration| exploration.row)
        .collect();
    for (row, (findings, busy)) in targets.into_iter().zip(found) {
        rows[row].add(findings, busy);
    }
    let violated = rows
        .iter()
        .any(|row| row.violations() > 0 || row.missed() > 0);
    if arguments.json {
        report::json(&rows, watch.elapsed(), out)?;
    } else {
        report::table(&rows, watch.elapsed(), out)?;
        stories(&workloads, &rows, out)?;
    }
    Ok(if violated { VIOLATED } else { CLEAN })
}

fn chosen(arguments: &ExploreArguments) -> Result<Vec<Workload>, Failure> {
    let name = &arguments.workload;
    let (known, suffix) = match arguments.mutant.as_deref().and_then(workload::rule_named) {
        None => (workload::all(), String::new()),
        Some(rule) => (workload::mutants(rule), format!("~{rule:?}")),
    };
    if name == ALL {
        return Ok(known);
    }
    let names: Vec<_> = known.iter().map(|workload| workload.name.clone()).collect();
    let full = format!("{name}{suffix}");
    let chosen: Vec<_> = known
        .into_iter()
        .filter(|workload| workload.name == full)
        .collect();
    if chosen.is_empty() {
        let (unknown, names) = (render::escaped(&full), names.join(", "));
        return Err(Failure::Usage(format!(
            "there is no workload {unknown}; there are {ALL}, {names}"
        )));
    }
    Ok(chosen)
}

/// A part of the schedules of a workload within a budget.
struct Exploration<'a> {
    /// Which row of the table it belongs to.
    row: usize,
    workload: &'a Workload,
    settings: Settings,
    part: Part,
}

fn explorations<'a>(rows: &[Row<'a>]) -> Vec<Exploration<'a>> {
    let mut explorations = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let workload = row.workload();
        for budget in workload.campaigns(row.store(), row.crashes()) {
            let settings = Settings {
                store: row.store(),
                ..Settings::within(budget)
            };
            let parts = parts(workload, &settings);
            let own = parts.into_iter().map(|part| Exploration {
                row: index,
                workload,
                settings: settings.clone(),
                part,
            });
            explorations.extend(own);
        }
    }
    explorations
}

/// What came of each exploration, in their order, and how long each kept its thread busy.
fn explore_all(explorations: &[Exploration<'_>], jobs: usize) -> Vec<(Findings, Duration)> {
    let bar = progress::bar(explorations.len());
    let next = AtomicUsize::new(0);
    let found: Vec<Mutex<Option<(Findings, Duration)>>> =
        explorations.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..jobs.min(explorations.len()) {
            scope.spawn(|| {
                while let Some(index) = take(&next, explorations.len()) {
                    let result = explore_one(&explorations[index], &bar);
                    *lock(&found[index]) = Some(result);
                }
            });
        }
    });
    bar.finish_and_clear();
    let found = found.into_iter().map(Mutex::into_inner);
    let found = found.map(|slot| slot.unwrap_or_else(std::sync::PoisonError::into_inner));
    found
        .map(|slot| slot.expect("every part was explored"))
        .collect()
}

fn take(next: &AtomicUsize, all: usize) -> Option<usize> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    (index < all).then_some(index)
}

fn explore_one(exploration: &Exploration<'_>, bar: &ProgressBar) -> (Findings, Duration) {
    let Exploration {
        workload,
        settings,
        part,
        ..
    } = exploration;
    bar.set_message(workload.name.clone());
    let watch = Stopwatch::start();
    let findings = explore_part(workload, settings, part);
    bar.inc(1);
    (findings, watch.elapsed())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Tells some violations in full.
fn stories(workloads: &[Workload], rows: &[Row<'_>], out: &mut impl Write) -> Result<(), Failure> {
    let each = |row| Row::found(row).map(move |violation| (row, violation));
    let mut violations: Vec<_> = rows.iter().flat_map(each).collect();
    let total = violations.len();
    // The simplest schedules say most; one for each oracle is enough, and each is told once.
    violations.sort_by_key(|(_, violation)| violation.schedule.len());
    let (mut oracles, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    violations.retain(|(_, violation)| {
        oracles.insert(violation.oracle) && tokens.insert(violation.token.to_string())
    });
    violations.truncate(STORIES_MAX);
    for (row, violation) in &violations {
        writeln!(
            out,
            "\n{} over {} violates {}: {}",
            row.name(),
            row.store(),
            violation.oracle,
            render::escaped_line(&violation.message)
        )?;
        let workload = workloads
            .iter()
            .find(|workload| workload.name == row.name());
        let workload = workload.expect("a violation is one of an explored workload");
        match replay(workload, &violation.token) {
            Ok(run) => write!(
                out,
                "{}",
                render::story(&run, &oracle::judge(workload, &run))
            )?,
            Err(error) => writeln!(out, "{error}")?,
        }
        writeln!(out, "replay it: {}", report::command_at_hand(violation))?;
    }
    let untold = total - violations.len();
    if untold > 0 {
        writeln!(
            out,
            "
{untold} more violations; --json lists them all"
        )?;
    }
    Ok(())
}
