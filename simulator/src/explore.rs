//! Explores every schedule of a workload within a budget.
//!
//! A schedule that has no fault is run first. Each draw that it made is the root of a part of the
//! space: the schedules that differ from it first at that draw. Parts do not depend on each other,
//! so a caller may explore them on any number of threads and put the results together in their
//! order; what comes out is the same.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::choices::{Choices, Exhaustive, Recorded};
use crate::executor::lock;
use crate::oracle::judge;
use crate::recorder::Recorder;
use crate::sim::{Run, Settings, simulate};
use crate::token::Token;
use crate::workload::Workload;

/// After so many violations a part is not explored further: they have the same few reasons.
const VIOLATIONS_MAX: usize = 8;

/// A part of the space of schedules: those that begin with these draws, as `(n, chosen)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part(Vec<(usize, usize)>);

/// What came of exploring a part, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many schedules were run.
    pub schedules: u64,
    /// The crash points that exist, and those that were covered; counted where a schedule has
    /// nothing but crashes.
    pub recorder: Recorder,
    /// What was violated, in the order of the exploration.
    pub violations: Vec<Violation>,
    /// The edges that some schedule's log took, as labels of states.
    pub edges: BTreeSet<(String, String)>,
    /// Whether exploring stopped early because there were violations enough.
    pub cut_short: bool,
}

/// A schedule that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The oracle that noticed.
    pub oracle: &'static str,
    /// What it noticed.
    pub message: String,
    /// The faults of the schedule, in words.
    pub schedule: Vec<String>,
    /// What replays it.
    pub token: Token,
}

/// Splits the schedules of `workload` within the budget into parts, the one without faults first.
pub fn parts(workload: &Workload, settings: &Settings) -> Vec<Part> {
    let (run, _) = simulate_with(workload, settings, Exhaustive::new());
    let draws: Vec<(usize, usize)> = run
        .tape
        .0
        .iter()
        .map(|draw| (draw.n, draw.chosen))
        .collect();
    let mut parts = vec![Part(draws.clone())];
    for (index, &(n, _)) in draws.iter().enumerate() {
        for chosen in 1..n {
            let mut prefix = draws[..index].to_vec();
            prefix.push((n, chosen));
            parts.push(Part(prefix));
        }
    }
    parts
}

/// Runs every schedule of a part and asks the oracles about each.
pub fn explore_part(workload: &Workload, settings: &Settings, part: &Part) -> Findings {
    let choices = Arc::new(Mutex::new(Exhaustive::below(&part.0)));
    let recorder = Recorder::new(settings.budget.counted_depth());
    let mut findings = Findings {
        recorder,
        ..Findings::default()
    };
    loop {
        let run = simulate(
            workload,
            settings,
            Arc::clone(&choices) as Arc<Mutex<dyn Choices>>,
        );
        findings.add(workload, settings, run);
        if findings.violations.len() >= VIOLATIONS_MAX {
            findings.cut_short = true;
            return findings;
        }
        if !lock(&choices).advance() {
            return findings;
        }
    }
}

/// Explores every schedule of `workload` within the budget, on this thread.
pub fn explore(workload: &Workload, settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    for part in parts(workload, settings) {
        findings.merge(explore_part(workload, settings, &part));
    }
    findings
}

/// Runs the schedule that a token stands for.
///
/// # Errors
///
/// Where the schedule is no longer the one that was recorded: the workload or the engine has
/// changed since.
pub fn replay(workload: &Workload, token: &Token) -> Result<Run, ReplayError> {
    let settings = Settings {
        budget: token.budget,
        store: token.store,
        skip: None,
    };
    let recorded = Recorded::sparse(token.interesting.clone());
    let (run, recorded) = simulate_with(workload, &settings, recorded);
    recorded
        .finish()
        .map_err(|divergence| ReplayError(divergence.to_string()))?;
    if run.tape.fingerprint() == token.fingerprint {
        Ok(run)
    } else {
        Err(ReplayError(
            "the replay took another course than the recorded schedule".to_owned(),
        ))
    }
}

/// A schedule that is no longer the one that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; the workload or the engine has changed since the token was made")]
pub struct ReplayError(String);

/// Runs one simulation and gives the choices back.
///
/// # Panics
///
/// Where the simulation has kept a hold of the choices: a bug of the executor.
pub fn simulate_with<C: Choices + 'static>(
    workload: &Workload,
    settings: &Settings,
    choices: C,
) -> (Run, C) {
    let choices = Arc::new(Mutex::new(choices));
    let run = simulate(
        workload,
        settings,
        Arc::clone(&choices) as Arc<Mutex<dyn Choices>>,
    );
    let choices = Arc::into_inner(choices).expect("the simulation is over");
    (
        run,
        choices
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}

impl Findings {
    fn add(&mut self, workload: &Workload, settings: &Settings, run: Run) {
        self.schedules += 1;
        for verdict in judge(workload, &run) {
            self.violations.push(Violation {
                oracle: verdict.oracle,
                message: verdict.message,
                schedule: run
                    .history
                    .faults()
                    .map(|(_, _, fired)| fired.to_string())
                    .collect(),
                token: Token::of(&workload.name, settings, &run.tape),
            });
        }
        for (from, to) in run.history.edges() {
            let edge = (from.to_owned(), to.to_owned());
            self.edges.insert(edge);
        }
        self.recorder.merge(run.recorder);
    }

    /// Adds what came of another part.
    pub fn merge(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.recorder.merge(other.recorder);
        self.violations.extend(other.violations);
        self.edges.extend(other.edges);
        self.cut_short |= other.cut_short;
    }
}
