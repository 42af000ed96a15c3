//! The simulations of a pair of operations within some bounds, and the findings about them.

use std::sync::{Arc, Mutex};

use crate::choices::{Choices, Exhaustive, Recorded, Seeded, Tape};
use crate::executor::lock;
use crate::history::Recorder;
use crate::operations::broken::{Broken, Objection};
use crate::operations::operation::OPERATIONS;
use crate::operations::oracle::judge;
use crate::operations::simulation::{Simulation, simulate};
use crate::operations::state::Bounds;

/// The most violations of a part; its exploration then ends.
const VIOLATIONS_MAX: usize = 3;

/// One simulation in this many runs twice.
const REPEATED_ONE_IN: u64 = 64;

/// The bounds of the samples.
const BEYOND: Bounds = Bounds {
    crashes: 2,
    faults: 2,
    switches: 6,
};

/// The findings of an exploration of operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of simulations.
    pub schedules: u64,
    /// The number of those that were sampled from seeds.
    pub sampled: u64,
    /// The number of simulations that ran twice.
    pub repeated: u64,
    /// The existing and the covered crash points, of simulations that have only crashes and switches.
    pub recorder: Recorder,
    /// The violations, in the order of the exploration.
    pub violations: Vec<Violation>,
    /// Whether the exploration stopped early because it had enough violations.
    pub cut_short: bool,
}

/// A simulation that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of the oracle.
    pub oracle: &'static str,
    /// How the promise is broken.
    pub message: String,
    /// The events, one a line.
    pub history: String,
    /// The choices. [`Recorded`](crate::choices::Recorded) makes it happen again.
    pub tape: Tape,
    /// The bounds in which it was found, which a replay needs.
    pub bounds: Bounds,
}

/// The bounds that are exhausted, in the order of exploration.
pub const fn campaigns() -> [Bounds; 3] {
    let none = Bounds {
        crashes: 0,
        faults: 0,
        switches: 1,
    };
    [
        Bounds {
            switches: 2,
            ..none
        },
        Bounds { crashes: 1, ..none },
        Bounds { faults: 1, ..none },
    ]
}

/// The simulations of a pair of operations within some bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    bounds: Bounds,
    /// The indices of the two operations.
    pair: (usize, usize),
}

/// Every pair within these bounds.
pub(crate) fn parts(bounds: Bounds) -> Vec<Part> {
    let operations = || 0..OPERATIONS.len();
    let pairs = operations().flat_map(|first| operations().map(move |second| (first, second)));
    pairs.map(|pair| Part { bounds, pair }).collect()
}

/// Explores a part.
pub(crate) fn exhaust(part: Part, broken: Option<Broken>) -> Report {
    let Part {
        bounds,
        pair: (first, second),
    } = part;
    let n = OPERATIONS.len();
    let prefix = [(n, first), (n, second)];
    let mut report = Report::default();
    let choices = Arc::new(Mutex::new(Exhaustive::below(&prefix)));
    loop {
        let simulation = simulate(
            bounds,
            Arc::clone(&choices) as Arc<Mutex<dyn Choices>>,
            broken,
        );
        report.add(bounds, simulation, broken);
        let mut choices = lock(&choices);
        assert_eq!(
            choices.mismatch(),
            None,
            "the same choices are the same simulation"
        );
        if report.violations.len() >= VIOLATIONS_MAX {
            report.cut_short = choices.advance();
            break;
        }
        if !choices.advance() {
            break;
        }
    }
    report
}

/// One simulation with more of everything, from a seed.
pub(crate) fn sampled(seed: u64) -> Report {
    let mut report = Report {
        sampled: 1,
        ..Report::default()
    };
    let choices = Arc::new(Mutex::new(Seeded::new(seed)));
    report.add(BEYOND, simulate(BEYOND, choices, None), None);
    report
}

/// The first simulation in which the oracle catches the mutant.
pub(super) fn first_violation(bounds: Bounds, broken: Broken, oracle: &str) -> Option<Objection> {
    let choices = Arc::new(Mutex::new(Exhaustive::new()));
    for schedules in 1.. {
        let shared = Arc::clone(&choices) as Arc<Mutex<dyn Choices>>;
        let verdicts = judge(&simulate(bounds, shared, Some(broken)));
        if let Some(verdict) = verdicts.into_iter().find(|it| it.oracle == oracle) {
            let message = verdict.message;
            return Some(Objection { schedules, message });
        }
        if !lock(&choices).advance() {
            break;
        }
    }
    None
}

impl Report {
    fn add(&mut self, bounds: Bounds, simulation: Simulation, broken: Option<Broken>) {
        let verdicts = judge(&simulation);
        if self.schedules.is_multiple_of(REPEATED_ONE_IN) || !verdicts.is_empty() {
            self.repeated += 1;
            let recorded = Arc::new(Mutex::new(Recorded::new(simulation.tape.clone())));
            let again = simulate(bounds, recorded, broken);
            assert_eq!(
                again.history, simulation.history,
                "the same choices are the same simulation"
            );
        }
        self.schedules += 1;
        for verdict in verdicts {
            self.violations.push(Violation {
                oracle: verdict.oracle,
                message: verdict.message,
                history: simulation.history.to_string(),
                tape: simulation.tape.clone(),
                bounds,
            });
        }
        self.recorder.merge(simulation.recorder);
    }

    /// Adds the findings of another part.
    ///
    /// # Panics
    ///
    /// Never: the name of a crash point says where it is.
    pub fn merge(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.sampled += other.sampled;
        self.repeated += other.repeated;
        self.recorder.merge(other.recorder);
        self.violations.extend(other.violations);
        self.cut_short |= other.cut_short;
    }
}
