//! The point of no return of a failing schedule: the decision from which on it could hardly end otherwise.
//!
//! A schedule is its draws. Behind each of them other continuations are sampled: the draws up to there stay,
//! and a seed makes the later ones, within what is left of the budget. The share of continuations that
//! break the same promise says how likely the failure is from there. Seeds are pinned, so the answer is the
//! same every time.

use std::fmt;

use crate::choices::{Choices, Seeded, Tape};
use crate::fault::Fired;
use crate::history::What;
use crate::record::{Recording, ReplayError, Source, Trial};
use crate::sim::Settings;

/// The number of continuations that are sampled behind each decision, unless the caller says otherwise.
pub const CONTINUATIONS: u32 = 24;

/// How often continuations of a schedule break its promise, decision by decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoReturn {
    /// The name of the oracle.
    pub oracle: String,
    /// The outlooks in the order of the decisions; the first is before every decision.
    pub outlooks: Vec<Outlook>,
}

/// What follows a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The place of the decision in the history; 0 before every decision.
    pub place: usize,
    /// The fault that was decided. `None` before every decision.
    pub fault: Option<Fired>,
    /// The number of continuations that break the promise ...
    pub broken: u32,
    /// ... of this many.
    pub sampled: u32,
}

impl Outlook {
    /// Whether at least half of the continuations break the promise.
    pub fn is_likely(&self) -> bool {
        self.broken * 2 >= self.sampled
    }

    /// Whether every sampled continuation breaks the promise.
    pub fn is_inevitable(&self) -> bool {
        self.broken == self.sampled
    }
}

impl NoReturn {
    /// Samples continuations of a recorded schedule that breaks the promise of this oracle: behind each of
    /// its faults, and before all of them.
    ///
    /// # Errors
    ///
    /// If the schedule can't be replayed.
    pub fn of(
        source: Source<'_>,
        recording: &Recording,
        oracle: &str,
        continuations: u32,
    ) -> Result<Self, ReplayError> {
        let (trial, settings) = recording.run(&source)?;
        let sampled = |kept: usize| {
            let seeds = 0..u64::from(continuations);
            let broken = seeds.filter(|seed| {
                let choices = Continued::new(&trial.tape, kept, *seed);
                breaks(source, &settings, choices, oracle)
            });
            broken.count() as u32
        };
        let mut outlooks = Vec::new();
        for (kept, place, fault) in decisions(&trial) {
            outlooks.push(Outlook {
                place,
                fault,
                broken: sampled(kept),
                sampled: continuations,
            });
        }
        Ok(Self {
            oracle: oracle.to_owned(),
            outlooks,
        })
    }

    /// The first decision from which on at least half of the continuations break the promise.
    pub fn likely(&self) -> Option<&Outlook> {
        self.first(Outlook::is_likely)
    }

    /// The first decision from which on every sampled continuation breaks the promise.
    pub fn inevitable(&self) -> Option<&Outlook> {
        self.first(Outlook::is_inevitable)
    }

    /// The first outlook of this kind all of whose successors are of it as well.
    fn first(&self, is_of: fn(&Outlook) -> bool) -> Option<&Outlook> {
        let end = self.outlooks.iter().rev().take_while(|it| is_of(it));
        end.last()
    }
}

impl fmt::Display for NoReturn {
    /// A line for each decision, with the share of continuations that break the promise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (likely, inevitable) = (self.likely(), self.inevitable());
        for (index, outlook) in self.outlooks.iter().enumerate() {
            let Outlook {
                fault,
                broken,
                sampled,
                ..
            } = outlook;
            let what = match fault {
                None => "before any fault".to_owned(),
                Some(fired) => format!("after the fault {fired}"),
            };
            let mark = match (inevitable == Some(outlook), likely == Some(outlook)) {
                (true, _) => ": inevitable from here on",
                (false, true) => ": likely from here on",
                (false, false) => "",
            };
            if index > 0 {
                writeln!(f)?;
            }
            write!(
                f,
                "{broken:>3} of {sampled} continuations break it, {what}{mark}"
            )?;
        }
        Ok(())
    }
}

/// The number of draws up to each decision, its place in the history, and its fault.
fn decisions(trial: &Trial) -> Vec<(usize, usize, Option<Fired>)> {
    let planned = trial.tape.0.len() - trial.run.tape.0.len();
    let mut decisions = vec![(planned, 0, None)];
    for (index, draw) in trial.run.tape.0.iter().enumerate() {
        if draw.chosen == 0 {
            continue;
        }
        let place = trial.run.drawn[index];
        // A draw is made before the event that it decides.
        let mut behind = trial.run.history.0.iter().skip(place);
        let fault = behind.find_map(|entry| match &entry.what {
            What::Fault(fired) => Some(fired.clone()),
            _ => None,
        });
        decisions.push((planned + index + 1, place, fault));
    }
    decisions
}

fn breaks(source: Source<'_>, settings: &Settings, choices: Continued, oracle: &str) -> bool {
    let (trial, _) = source.run(settings, choices);
    trial.verdicts.iter().any(|it| it.oracle == oracle)
}

/// The first draws of a tape, and then a seed's.
struct Continued {
    kept: Vec<usize>,
    position: usize,
    then: Seeded,
}

impl Continued {
    fn new(tape: &Tape, kept: usize, seed: u64) -> Self {
        let kept = tape.0[..kept].iter().map(|draw| draw.chosen);
        Self {
            kept: kept.collect(),
            position: 0,
            then: Seeded::new(seed),
        }
    }
}

impl Choices for Continued {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        let kept = self.kept.get(self.position).copied();
        self.position += 1;
        match kept {
            Some(chosen) if chosen < n => chosen,
            // A workflow that is not deterministic asks for something else.
            Some(_) => 0,
            None => self.then.choose(label, n),
        }
    }
}
