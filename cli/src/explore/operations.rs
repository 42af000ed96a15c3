//! The row of the engine's operations over a store with several runs.

use std::io::{self, Write};
use std::time::Duration;

use crashpoint_simulator::operations::{Report, campaigns};
use crashpoint_simulator::render;
use crashpoint_simulator::{Pool, explore_operations, sample_operations};

use crate::arguments::{ALL, ExploreArguments};
use crate::process::progress::Stopwatch;
use crate::text::{counted, wrapped};

/// Its name in the table.
pub(crate) const NAME: &str = "operations";

/// Its line below the table.
pub(crate) const ABOUT: &str = "two of resume_all, purge, status, run_or_resume, retry_stuck";

/// The number of random schedules beyond the exhaustive ones.
const SAMPLES: u64 = 1_000;

/// The number of violations that are printed in full.
const STORIES_MAX: usize = 3;

/// The findings about operations.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    pub(crate) report: Report,
    pub(crate) busy: Duration,
}

impl Operations {
    /// Explores the operations, if everything is to be explored: no single workload, mutant or budget.
    pub(crate) fn explored(arguments: &ExploreArguments, pool: Pool) -> Option<Self> {
        let ExploreArguments {
            workload,
            store,
            crashes,
            within,
            mutant,
            ..
        } = arguments;
        let in_memory = store.iter().any(|store| store.kind() == KIND);
        let everything = workload == ALL && within.is_none() && mutant.is_none();
        if !everything || !in_memory || *crashes == Some(0) {
            return None;
        }
        let watch = Stopwatch::start();
        let mut report = explore_operations(pool, &campaigns(), None);
        report.merge(sample_operations(pool, SAMPLES));
        let busy = watch.elapsed() * u32::try_from(pool.threads()).unwrap_or(u32::MAX);
        Some(Self { report, busy })
    }

    /// Prints violations, each with every event of its simulation.
    pub(crate) fn stories(&self, out: &mut impl Write) -> io::Result<()> {
        let violations = &self.report.violations;
        for violation in violations.iter().take(STORIES_MAX) {
            let message = render::escaped_line(&violation.message);
            let heading = format!("{NAME} violate {}: {message}", violation.oracle);
            writeln!(out, "\n{}", wrapped(&heading))?;
            for line in violation.history.lines() {
                writeln!(out, "  {}", render::escaped_line(line))?;
            }
        }
        if let hidden @ 1.. = violations.len().saturating_sub(STORIES_MAX) {
            let hidden = counted(hidden as u64, "violation");
            writeln!(out, "\n{hidden} of {NAME} more")?;
        }
        Ok(())
    }
}

/// The store that operations are explored over.
pub(crate) const KIND: crashpoint_simulator::StoreKind = crashpoint_simulator::StoreKind::Memory;
