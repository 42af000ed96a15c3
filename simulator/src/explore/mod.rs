//! Explores every schedule of a workload within a budget.
//!
//! A schedule that has no fault is run first. Each draw that it made is the root of a part of the
//! space: the schedules that differ from it first at that draw. Parts do not depend on each other,
//! so a caller may explore them on any number of threads and put the results together in their
//! order; what comes out is the same.

mod seeds;
mod shrink;
pub mod vacuity;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::choices::{Choices, Divergence, Exhaustive, Recorded, Tape};
use crate::executor::lock;
use crate::fault::{Fault, Schedule};
use crate::history::Recorder;
use crate::oracle::judge;
use crate::record::{Course, Parting, Source, Token};
use crate::report::render::{counted, grouped};
use crate::sim::{Key, Repeat, Run, Settings, SharedChoices, Survivor, simulate, simulate_forking};
use crate::workload::Workload;

pub use seeds::{Possible, Swarm, explore_seeds, run_seed, swarm};
pub use shrink::{SHRINK_RUNS_MAX, ShrinkError, Shrunk, shrink, shrink_recording};

/// A part of the space of schedules.
#[derive(Debug, Clone)]
pub struct Part(PartOf);

#[derive(Debug, Clone)]
enum PartOf {
    /// The schedule without faults, and what is known of the crashes in it.
    Calm(Box<Findings>),
    /// The schedules that begin with these draws, as `(n, chosen)`, crashes left out.
    Beside(Vec<(usize, usize)>),
    /// The schedules that begin with a crash in the one without faults.
    After(Box<Survivor>),
    /// No part of the exhaustive exploration: the schedules of these seeds.
    Sampled(Range<u64>),
}

impl Part {
    /// The schedules of seeds, with a swarm: what lies beyond a budget that can be exhausted.
    pub fn sampled(seeds: Range<u64>) -> Self {
        Self(PartOf::Sampled(seeds))
    }
}

/// What came of exploring a part, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many schedules were run.
    pub schedules: u64,
    /// How many of them are samples, drawn from seeds. The others are all that there are within their
    /// budgets.
    pub sampled: u64,
    /// How many crashes were not gone on from, because another one had left the same state.
    pub merged: u64,
    /// The crash points that exist, and those that were covered; counted where a schedule has
    /// nothing but crashes.
    pub recorder: Recorder,
    /// What was violated, in the order of the exploration.
    pub violations: Vec<Violation>,
    /// The edges that some schedule's log took, as labels of states.
    pub edges: BTreeSet<(String, String)>,
    /// Whether exploring stopped early because there were violations enough.
    pub cut_short: bool,
    /// How often each kind of fault fired.
    pub fired: BTreeMap<Fault, u64>,
    /// How many of the schedules were run a second time.
    pub repeated: u64,
    /// Those of them that were not the same then: the first of each part.
    pub nondeterminism: Vec<Nondeterminism>,
}

impl fmt::Display for Findings {
    /// What was exhausted, and what is only sampled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exhausted = counted(self.schedules - self.sampled, "schedule");
        match self.cut_short {
            true => write!(f, "{exhausted}, NOT exhausted")?,
            false => write!(f, "{exhausted}, exhausted")?,
        }
        let (covered, total) = (self.recorder.covered(), self.recorder.total());
        if total > 0 {
            let covered = grouped(covered as u64);
            write!(
                f,
                ": {covered} of {} covered",
                counted(total as u64, "crash point")
            )?;
        }
        let (sampled, repeated) = (grouped(self.sampled), grouped(self.repeated));
        write!(f, "; {sampled} sampled beyond; {repeated} run twice")
    }
}

/// A schedule that was another one when it was run a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nondeterminism {
    /// What went wrong in it.
    pub schedule: Schedule,
    /// What replays it, or might.
    pub token: Token,
    /// The first event that was not the same.
    pub parting: Parting,
}

/// A schedule that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The oracle that noticed.
    pub oracle: &'static str,
    /// What it noticed.
    pub message: String,
    /// What went wrong in it.
    pub schedule: Schedule,
    /// What replays it.
    pub token: Token,
}

/// Splits the schedules of `workload` within the budget into parts, the one without faults first.
pub fn parts(workload: &Workload, settings: &Settings) -> Vec<Part> {
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    let shared = Arc::clone(&choices) as SharedChoices;
    let (run, survivors) = simulate_forking(workload, settings, None, shared, 0);
    let mut explorer = Explorer::new(workload, settings);
    explorer.findings.add(workload, settings, run, None);
    let mut parts = Vec::new();
    for survivor in survivors {
        if explorer.is_new(&survivor) {
            parts.push(Part(PartOf::After(Box::new(survivor))));
        }
    }
    let draws = lock(&choices).drawn();
    for (index, &(n, _)) in draws.iter().enumerate() {
        for chosen in 1..n {
            let mut prefix = draws[..index].to_vec();
            prefix.push((n, chosen));
            parts.push(Part(PartOf::Beside(prefix)));
        }
    }
    parts.insert(0, Part(PartOf::Calm(Box::new(explorer.findings))));
    parts
}

/// Runs every schedule of a part and asks the oracles about each.
///
/// A crash that kills everybody is not run from the beginning: the simulation without it goes on, and
/// what would have survived is copied and gone on from later. Where two such copies are the same
/// state, one of them is enough. Where what survives can't be copied
/// ([`ActsOn::Own`](crate::workload::ActsOn)), every schedule is run from its start.
pub fn explore_part(workload: &Workload, settings: &Settings, part: &Part) -> Findings {
    let mut explorer = Explorer::new(workload, settings);
    match &part.0 {
        PartOf::Calm(findings) => return (**findings).clone(),
        PartOf::Beside(prefix) => explorer.explore(None, prefix),
        PartOf::After(survivor) => explorer.explore(Some(survivor), &[]),
        PartOf::Sampled(seeds) => {
            let source = Source::Fixed(workload);
            return explore_seeds(source, settings, Possible::Swarm, seeds.clone());
        }
    }
    explorer.findings
}

/// Explores depth first.
struct Explorer<'a> {
    workload: &'a Workload,
    settings: &'a Settings,
    findings: Findings,
    /// The states that were gone on from.
    seen: BTreeSet<Key>,
}

impl<'a> Explorer<'a> {
    fn new(workload: &'a Workload, settings: &'a Settings) -> Self {
        let recorder = Recorder::new(settings.budget.counted_depth());
        Self {
            workload,
            settings,
            findings: Findings {
                recorder,
                ..Findings::default()
            },
            seen: BTreeSet::new(),
        }
    }

    /// Runs every schedule that goes on from here and begins with these draws.
    fn explore(&mut self, begin: Option<&Survivor>, prefix: &[(usize, usize)]) {
        let choices = Arc::new(Mutex::new(Exhaustive::below(prefix)));
        let mut from = prefix.len();
        loop {
            let shared = Arc::clone(&choices) as SharedChoices;
            let begin = begin.cloned();
            let (run, survivors) =
                simulate_forking(self.workload, self.settings, begin, shared, from);
            let parting = parting_of(&lock(&choices), &run);
            self.findings
                .add(self.workload, self.settings, run, parting);
            if !self.findings.nondeterminism.is_empty() {
                // What comes of other choices says nothing.
                self.findings.cut_short = true;
                return;
            }
            for survivor in survivors {
                if self.has_enough() {
                    break;
                }
                if self.is_new(&survivor) {
                    self.explore(Some(&survivor), &[]);
                }
            }
            if self.has_enough() {
                self.findings.cut_short = true;
                return;
            }
            let turned = lock(&choices).turn();
            let Some(turned) = turned else { return };
            // Up to the draw that is another one now, the crashes have been gone on from.
            from = turned + 1;
        }
    }

    fn has_enough(&self) -> bool {
        !self.findings.nondeterminism.is_empty()
            || self.findings.violations.len() >= self.settings.violations_max
            || self.findings.schedules >= self.settings.schedules_max
    }

    /// Whether nobody has gone on from this state; counted if somebody has.
    fn is_new(&mut self, survivor: &Survivor) -> bool {
        let new = self.settings.unmerged || self.seen.insert(survivor.key());
        if !new {
            self.findings.merged += 1;
            self.findings.recorder.fired(survivor.crashes());
        }
        new
    }
}

/// Where a run has parted from an earlier one of the same choices, if it has.
fn parting_of(choices: &Exhaustive, run: &Run) -> Option<Parting> {
    let Divergence {
        draw,
        recorded,
        asked,
    } = choices.divergence()?.clone();
    let draw = run.tape.0.len() - choices.position() + draw;
    Some(Parting {
        place: draw + run.drawn[draw],
        first: Some(recorded),
        then: Some(asked),
    })
}

/// Whether a schedule is run a second time.
fn is_due(repeat: Repeat, tape: &Tape, broken: bool) -> bool {
    let Repeat::OneIn(many) = repeat else {
        return false;
    };
    let drawn = tape.interesting();
    let sum = drawn.fold(0, |sum: u64, (index, chosen)| {
        {
            sum.wrapping_mul(31)
                .wrapping_add((index * 7 + chosen) as u64)
        }
    });
    broken || sum.is_multiple_of(many)
}

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
    let run = simulate(workload, settings, Arc::clone(&choices) as SharedChoices);
    let choices = Arc::into_inner(choices).expect("the simulation is over");
    (
        run,
        choices
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}

impl Findings {
    /// Adds a schedule, with where it has parted from those before it that began in the same way.
    fn add(
        &mut self,
        workload: &Workload,
        settings: &Settings,
        run: Run,
        parting: Option<Parting>,
    ) {
        self.schedules += 1;
        self.count_faults(&run);
        let verdicts = judge(workload, &run);
        let due = is_due(settings.repeat, &run.tape, !verdicts.is_empty());
        if due || parting.is_some() {
            self.repeat(workload, settings, &run, parting);
        }
        for verdict in verdicts {
            self.violations.push(Violation {
                oracle: verdict.oracle,
                message: verdict.message,
                schedule: Schedule::of(&run.history),
                token: Token::of(&workload.name, settings, &run.tape),
            });
        }
        for (from, to) in run.history.edges() {
            let edge = (from.to_owned(), to.to_owned());
            self.edges.insert(edge);
        }
        self.recorder.merge(run.recorder);
    }

    pub(crate) fn count_faults(&mut self, run: &Run) {
        for (_, _, fired) in run.history.faults() {
            *self.fired.entry(fired.fault.kind()).or_default() += 1;
        }
    }

    /// Runs a schedule a second time, from its start.
    fn repeat(
        &mut self,
        workload: &Workload,
        settings: &Settings,
        run: &Run,
        known: Option<Parting>,
    ) {
        self.repeated += 1;
        let recorded = Recorded::new(run.tape.clone());
        let (again, _) = simulate_with(workload, settings, recorded);
        let parting = Course::parting_of_runs(run, &again);
        let parting = parting.or(known).map(|parting| Nondeterminism {
            schedule: Schedule::of(&run.history),
            token: Token::of(&workload.name, settings, &run.tape),
            parting,
        });
        self.nondeterminism.extend(parting);
    }

    /// Adds what came of another part.
    pub fn merge(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.sampled += other.sampled;
        self.merged += other.merged;
        self.recorder.merge(other.recorder);
        self.violations.extend(other.violations);
        self.edges.extend(other.edges);
        self.cut_short |= other.cut_short;
        for (fault, count) in other.fired {
            *self.fired.entry(fault).or_default() += count;
        }
        self.repeated += other.repeated;
        self.nondeterminism.extend(other.nondeterminism);
    }
}
