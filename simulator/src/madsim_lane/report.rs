//! The report of a world: what it was, what it reached, and which promises broke.

use std::collections::BTreeMap;
use std::fmt;

use crate::madsim_lane::plan::Plan;
use crate::oracle::Verdict;
use crate::report::render;
use crate::sim::Run;

/// A broken promise, and the run that broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The id of the run.
    pub workflow_id: String,
    /// The promise.
    pub verdict: Verdict,
}

/// The report of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldReport {
    /// The seed.
    pub seed: u64,
    /// The plan.
    pub plan: Plan,
    /// The broken promises.
    pub broken: Vec<Broken>,
    /// What was reached, and how often.
    pub reached: BTreeMap<&'static str, u64>,
    /// Every event of the nodes in order.
    pub events: Vec<String>,
    /// The runs, by id.
    pub runs: Vec<(String, Run)>,
    /// The hash of every event of the world and of its runs, each together with those before it.
    pub hash: u64,
}

impl WorldReport {
    /// Whether this oracle objects.
    pub fn breaks(&self, oracle: &str) -> bool {
        let mut broken = self.broken.iter();
        broken.any(|broken| broken.verdict.oracle == oracle)
    }
}

impl fmt::Display for WorldReport {
    /// The broken promises, the plan, the events, and of each run that broke a promise its timeline,
    /// ledger and log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Broken {
            workflow_id,
            verdict,
        } in &self.broken
        {
            writeln!(f, "{workflow_id}: {}: {}", verdict.oracle, verdict.message)?;
        }
        writeln!(f, "plan")?;
        for line in self.plan.to_string().lines() {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "events")?;
        for event in &self.events {
            writeln!(f, "  {event}")?;
        }
        for (id, run) in &self.runs {
            let of_run = self
                .broken
                .iter()
                .filter(|broken| broken.workflow_id == *id);
            let verdicts: Vec<Verdict> = of_run.map(|broken| broken.verdict.clone()).collect();
            if !verdicts.is_empty() {
                writeln!(f, "{id}\n{}", render::story(run, &verdicts))?;
            }
        }
        Ok(())
    }
}
