//! The space of schedules in independent parts, each explored depth first.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::choices::swarm::Possible;
use crate::choices::{DrawMismatch, Exhaustive};
use crate::executor::lock;
use crate::explore::{Findings, explore_seeds};
use crate::history::Recorder;
use crate::record::{Divergence, Source};
use crate::sim::{
    Explored, Key, Run, Settings, SharedChoices, Survivor, Workload, simulate_forking,
};

/// A part of the space of schedules.
#[derive(Debug, Clone)]
pub struct Part(PartOf);

#[derive(Debug, Clone)]
enum PartOf {
    /// The schedule without faults, with its findings and crash points.
    Calm(Box<Findings>),
    /// The schedules that begin with these draws, as `(n, chosen)`, except for crashes.
    Beside(Vec<(usize, usize)>),
    /// The schedules that begin with a crash in the schedule without faults.
    After(Box<Survivor>),
    /// Not part of the exhaustive exploration: the schedules of these seeds.
    Sampled(Range<u64>),
}

impl Part {
    /// The schedules of seeds, with a swarm, beyond the budgets that can be exhausted.
    pub fn sampled(seeds: Range<u64>) -> Self {
        Self(PartOf::Sampled(seeds))
    }
}

/// Splits the schedules of `workload` within the budget into parts. The schedule without faults
/// comes first.
///
/// # Panics
///
/// Never: a crash is continued, or counted as merged.
pub fn parts(workload: &Workload, settings: &Settings) -> Vec<Part> {
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    let shared = Arc::clone(&choices) as SharedChoices;
    let Explored {
        run,
        survivors,
        repeats,
    } = simulate_forking(workload, settings, None, shared, 0);
    let mut explorer = Explorer::new(workload, settings);
    explorer.findings.add(workload, settings, run, None);
    let mut parts = Vec::new();
    let crashes = survivors.len() as u64;
    for survivor in survivors {
        if explorer.is_new(&survivor) {
            parts.push(Part(PartOf::After(Box::new(survivor))));
        }
    }
    assert_eq!(
        crashes,
        parts.len() as u64 + explorer.findings.merged,
        "a crash is gone on from, or counted as merged"
    );
    explorer.findings.leave_out(repeats);
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

/// Runs every schedule of a part, and checks each with every oracle.
///
/// A crash of every process is not run from the start. The simulation continues without the crash,
/// and a copy of the surviving state is continued later. Of several equal copies only one is
/// continued. If the surviving state cannot be copied ([`ActsOn::Own`](crate::workload::ActsOn)),
/// every schedule runs from its start.
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
    /// The states that were continued.
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

    /// Runs every schedule that continues from here and begins with these draws.
    fn explore(&mut self, begin: Option<&Survivor>, prefix: &[(usize, usize)]) {
        let choices = Arc::new(Mutex::new(Exhaustive::below(prefix)));
        let mut from = prefix.len();
        loop {
            let shared = Arc::clone(&choices) as SharedChoices;
            let begin = begin.cloned();
            let Explored {
                run,
                survivors,
                repeats,
            } = simulate_forking(self.workload, self.settings, begin, shared, from);
            self.findings.leave_out(repeats);
            let divergence = divergence_of(&lock(&choices), &run);
            self.findings
                .add(self.workload, self.settings, run, divergence);
            if !self.findings.nondeterminism.is_empty() {
                // Further choices would prove nothing.
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
            assert!(
                turned >= prefix.len(),
                "the prefix of a part stays, so no other part has the same schedules"
            );
            // Up to the draw that has changed now, the crashes were explored before.
            from = turned + 1;
        }
    }

    fn has_enough(&self) -> bool {
        !self.findings.nondeterminism.is_empty()
            || self.findings.endless
            || self.findings.violations.len() >= self.settings.violations_max
            || self.findings.schedules >= self.settings.schedules_max
    }

    /// Whether no equal state was continued before. Counts the state as merged otherwise.
    fn is_new(&mut self, survivor: &Survivor) -> bool {
        let new = self.settings.unmerged || self.seen.insert(survivor.key());
        if !new {
            self.findings.merged += 1;
            self.findings.recorder.fired(survivor.crashes());
        }
        new
    }
}

/// The divergence of a run from an earlier run with the same choices, if any.
fn divergence_of(choices: &Exhaustive, run: &Run) -> Option<Divergence> {
    let DrawMismatch {
        draw,
        recorded,
        asked,
    } = choices.mismatch()?.clone();
    let draw = run.tape.0.len() - choices.position() + draw;
    Some(Divergence {
        place: draw + run.drawn[draw],
        first: Some(recorded),
        then: Some(asked),
    })
}
