//! Explores the engine's operations over a fleet of runs.

use std::ops::ControlFlow;

use crate::explore::Pool;
use crate::operations::{Bounds, Broken, Part, Report, exhaust, parts, sampled};

/// Explores every simulation of two operations within each of the bounds. The report is the same in
/// every pool. With `broken`, an operation breaks its promise.
///
/// # Panics
///
/// If a simulation is not the same when it runs again, which is a bug of the simulator's.
pub fn explore_operations(pool: Pool, bounds: &[Bounds], broken: Option<Broken>) -> Report {
    let parts: Vec<Part> = bounds.iter().copied().flat_map(parts).collect();
    merged(pool, &parts, |part| exhaust(*part, broken))
}

/// Runs a simulation with more of everything for each of the seeds `0..seeds`.
///
/// # Panics
///
/// As [`explore_operations`].
pub fn sample_operations(pool: Pool, seeds: u64) -> Report {
    let seeds: Vec<u64> = (0..seeds).collect();
    merged(pool, &seeds, |seed| sampled(*seed))
}

fn merged<T: Sync>(pool: Pool, items: &[T], work: impl Fn(&T) -> Report + Sync) -> Report {
    let mut report = Report::default();
    pool.in_order(items, work, |found| {
        report.merge(found);
        ControlFlow::Continue(())
    });
    report
}
