//! `crashpoint explore`: spreads the parts of every exploration over threads, and puts what they
//! found together in the order of the parts.

use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crashpoint_simulator::workload::{self, Workload};
use crashpoint_simulator::{Findings, Part, Settings, explore_part, parts, render, replay};
use indicatif::ProgressBar;

use crate::progress::{self, Stopwatch};
use crate::report::{self, Row};
use crate::{ALL, CLEAN, ExploreArguments, Failure, VIOLATED};

/// How many violations are told in full after the table; the others are counted.
const STORIES_MAX: usize = 3;

pub(crate) fn run(arguments: &ExploreArguments, out: &mut impl Write) -> Result<u8, Failure> {
    let workloads = chosen(&arguments.workload)?;
    let jobs = arguments
        .jobs
        .or_else(|| thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    let watch = Stopwatch::start();
    let explorations = explorations(&workloads, arguments.crashes);
    let found = explore_all(&explorations, jobs);

    let store = arguments.store.name();
    let rows: Vec<Row<'_>> = workloads
        .iter()
        .map(|workload| {
            let mut row = Row::new(workload, store, arguments.crashes);
            let own = explorations.iter().zip(&found);
            let own = own.filter(|(exploration, _)| exploration.workload.name == workload.name);
            own.for_each(|(_, (findings, busy))| row.add(findings, *busy));
            row
        })
        .collect();
    let violated = rows.iter().any(|row| row.violations() > 0);
    if arguments.json {
        report::json(&rows, watch.elapsed(), out)?;
    } else {
        report::table(&rows, watch.elapsed(), out)?;
        stories(&workloads, &rows, out)?;
    }
    Ok(if violated { VIOLATED } else { CLEAN })
}

fn chosen(name: &str) -> Result<Vec<Workload>, Failure> {
    let mut workloads = workload::all();
    if name == ALL {
        return Ok(workloads);
    }
    let names: Vec<_> = workloads.iter().map(|workload| workload.name).collect();
    let unknown = format!(
        "there is no workload {}; there are {ALL}, {}",
        render::escaped(name),
        names.join(", ")
    );
    workloads.retain(|workload| workload.name == name);
    if workloads.is_empty() {
        Err(Failure::Usage(unknown))
    } else {
        Ok(workloads)
    }
}

/// A part of the schedules of a workload within a budget.
struct Exploration<'a> {
    workload: &'a Workload,
    settings: Settings,
    part: Part,
}

fn explorations(workloads: &[Workload], crashes: u32) -> Vec<Exploration<'_>> {
    let mut explorations = Vec::new();
    for workload in workloads {
        for budget in workload.campaigns(crashes) {
            let settings = Settings { budget, skip: None };
            let parts = parts(workload, &settings);
            let own = parts.into_iter().map(|part| Exploration {
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
    let found = found.into_iter().map(std::sync::Mutex::into_inner);
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
    } = exploration;
    bar.set_message(workload.name);
    let watch = Stopwatch::start();
    let findings = explore_part(workload, settings, part, || {});
    bar.inc(1);
    (findings, watch.elapsed())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Tells the first violations in full.
fn stories(workloads: &[Workload], rows: &[Row<'_>], out: &mut impl Write) -> Result<(), Failure> {
    let violations = rows
        .iter()
        .flat_map(|row| row.found().map(move |violation| (row, violation)));
    let total = violations.clone().count();
    for (row, violation) in violations.take(STORIES_MAX) {
        writeln!(
            out,
            "\n{} violates {}: {}",
            row.name(),
            violation.oracle,
            violation.message
        )?;
        let workload = workloads
            .iter()
            .find(|workload| workload.name == row.name());
        let run = workload.map(|workload| replay(workload, &violation.token));
        match run {
            Some(Ok(run)) => write!(out, "{}", render::story(&run, &[]))?,
            Some(Err(error)) => writeln!(out, "  {error}")?,
            None => {}
        }
        writeln!(out, "replay it: {}", report::replay_command(violation))?;
    }
    if total > STORIES_MAX {
        writeln!(
            out,
            "\n{} more violations; --json lists them all",
            total - STORIES_MAX
        )?;
    }
    Ok(())
}
