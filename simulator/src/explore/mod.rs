//! Explores every schedule of a workload within a budget.
//!
//! A schedule that has no fault is run first. Each draw that it made is the root of a part of the
//! space: the schedules that differ from it first at that draw. Parts do not depend on each other,
//! so a caller may explore them on any number of threads and put the results together in their
//! order; what comes out is the same.

mod findings;
mod parts;
mod seeds;
mod shrink;
pub mod vacuity;

use crate::sim::{Settings, Workload};

pub use findings::{Findings, Nondeterminism, Violation};
pub use parts::{Part, explore_part, parts};
pub use seeds::explore_seeds;
pub use shrink::{SHRINK_RUNS_MAX, ShrinkError, Shrunk, shrink, shrink_recording};

/// Explores every schedule of `workload` within the budget, on this thread.
pub fn explore(workload: &Workload, settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    for part in parts(workload, settings) {
        let left = settings.schedules_max.saturating_sub(findings.schedules);
        if left == 0 || !findings.nondeterminism.is_empty() {
            findings.cut_short = true;
            break;
        }
        let settings = Settings {
            schedules_max: left,
            ..settings.clone()
        };
        findings.merge(explore_part(workload, &settings, &part));
    }
    findings
}
