//! Explores every schedule of a workload within a budget.
//!
//! The schedule without faults runs first. Each of its draws is the root of a part of the space:
//! the schedules that first differ from it at that draw. Parts are independent, so a [`Pool`]
//! explores them on any number of threads and combines the results in their order. The result is
//! the same for any number.

mod carried;
mod findings;
pub mod moment;
mod no_return;
mod operations;
mod parts;
mod pool;
mod resumed;
mod seeds;
mod shard;
mod shrink;
pub mod vacuity;

use std::ops::ControlFlow;

use crate::sim::{Settings, Workload};

pub(crate) use carried::places;
pub use findings::{Findings, Nondeterminism, Violation};
pub use no_return::{CONTINUATIONS, NoReturn, Outlook};
pub use operations::{OperationsPart, explore_operations, explore_operations_part};
pub use parts::{Part, explore_part, parts};
pub use pool::Pool;
pub use resumed::{ResumedLogs, Resumptions};
pub(crate) use seeds::{explore_each_seed, explore_seed};
pub use seeds::{explore_seeds, explore_seeds_on};
pub(crate) use shard::Shard;
pub use shrink::{SHRINK_RUNS_MAX, ShrinkError, Shrunk, shrink, shrink_recording};

/// Explores every schedule of `workload` within the budget, on the caller's thread.
pub fn explore(workload: &Workload, settings: &Settings) -> Findings {
    explore_on(Pool::of_one(), workload, settings)
}

/// Explores every schedule of `workload` within the budget. The findings and their order are the
/// same in every pool.
///
/// # Panics
///
/// Never: parts are explored within the limit of schedules, and crashes are counted when they fire.
pub fn explore_on(pool: Pool, workload: &Workload, settings: &Settings) -> Findings {
    explore_shard_on(pool, workload, settings, Shard::WHOLE, &mut |_| ())
}

/// The same for a shard of the parts, and `seen` gets the findings so far after each part. Every
/// shard has the schedule without faults.
pub(crate) fn explore_shard_on(
    pool: Pool,
    workload: &Workload,
    settings: &Settings,
    shard: Shard,
    seen: &mut dyn FnMut(&Findings),
) -> Findings {
    let mut findings = Findings::default();
    if settings.schedules_max == 0 {
        findings.cut_short = true;
        return findings;
    }
    let parts = (0..).zip(parts(workload, settings));
    let parts = parts.filter(|(index, _)| *index == 0 || shard.has(*index));
    let parts: Vec<Part> = parts.map(|(_, part)| part).collect();
    let mut merged = 0;
    let work = |part: &Part| explore_part(workload, settings, part);
    pool.in_order(&parts, work, |found| {
        let left = settings.schedules_max - findings.schedules;
        let limited = Settings {
            schedules_max: left,
            ..settings.clone()
        };
        // A worker does not know how many schedules the earlier parts had. If they leave too few,
        // the part is explored again within the rest.
        let found = match found.schedules < left || left == settings.schedules_max {
            true => found,
            false => explore_part(workload, &limited, &parts[merged]),
        };
        merged += 1;
        findings.merge(found);
        seen(&findings);
        let enough = findings.schedules >= settings.schedules_max;
        match enough || findings.endless || !findings.nondeterminism.is_empty() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    findings.cut_short |= merged < parts.len();
    assert!(
        findings.schedules <= settings.schedules_max,
        "a part is explored within the limit that the earlier parts left"
    );
    assert!(
        findings.cut_short || findings.recorder.is_whole(),
        "a crash fires only at an instant that some schedule has passed"
    );
    findings
}
