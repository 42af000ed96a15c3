//! The runs of a simulation: their ids, the run of each life, and what one run is for the oracles.
//!
//! A run is named by its index, from 0. Most simulations have one.

use std::borrow::Cow;
use std::fmt;

use crashpoint::CheckpointRow;
use smol_str::{SmolStr, format_smolstr};

use crate::history::{Entry, History, LifeEnd};
use crate::sim::{Run, Workload};

/// The id of a run: `run-1` for the first.
pub(crate) fn run_id(run: usize) -> SmolStr {
    format_smolstr!("run-{}", run + 1)
}

/// The run of each life, in the order in which the lives began.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RunOfLife(Vec<usize>);

impl RunOfLife {
    /// The next life is one of this run.
    pub(super) fn push(&mut self, run: usize) {
        self.0.push(run);
    }

    /// The run of a life, from 1. A life of nobody belongs to the first run.
    pub fn of(&self, life: u32) -> usize {
        let index = (life as usize).checked_sub(1);
        let run = index.and_then(|index| self.0.get(index));
        run.copied().unwrap_or(0)
    }

    /// The number of lives of a run.
    pub(super) fn lives(&self, run: usize) -> usize {
        self.0.iter().filter(|other| **other == run).count()
    }

    /// Whether an event of a history concerns a run. An event of no life concerns all of them.
    pub(super) fn concerns(&self, run: usize, entry: &Entry) -> bool {
        entry.life == 0 || self.of(entry.life) == run
    }
}

/// A life in the name of an instant: `life2`, or `life2@run-1` where the simulation has several runs.
#[derive(Clone, Copy)]
pub(super) struct NamedLife {
    pub(super) life: u32,
    pub(super) run: Option<usize>,
}

impl fmt::Display for NamedLife {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "life{}", self.life)?;
        match self.run {
            None => Ok(()),
            Some(run) => write!(f, "@{}", run_id(run)),
        }
    }
}

impl Workload {
    /// The number of its runs.
    pub fn runs(&self) -> usize {
        1 + self.also.len()
    }
}

impl Run {
    /// Whether the simulation has several runs.
    pub fn is_of_several(&self) -> bool {
        !self.other_logs.is_empty()
    }

    /// The id and the final log of each run.
    pub fn logs(&self) -> impl Iterator<Item = (SmolStr, &[CheckpointRow])> {
        let others = self.other_logs.iter();
        let logs = std::iter::once(&self.log).chain(others).enumerate();
        logs.map(|(run, log)| (run_id(run), log.as_slice()))
    }

    /// The id and the last outcome of each run.
    pub fn outcomes(&self) -> impl Iterator<Item = (SmolStr, Option<&LifeEnd>)> {
        let runs = 0..=self.other_logs.len();
        runs.map(|run| {
            (
                run_id(run),
                self.history.outcome_of(|it| self.run_of_life.of(it) == run),
            )
        })
    }

    /// The simulation as if it had this run alone: the events of its lives and those of no life, and its
    /// log. What concerns the simulation as a whole (the invariants of the world, the time that it took) is
    /// left out.
    pub(crate) fn of_run(&self, run: usize) -> Cow<'_, Self> {
        if !self.is_of_several() {
            return Cow::Borrowed(self);
        }
        let entries = self.history.0.iter();
        let own = entries.filter(|entry| self.run_of_life.concerns(run, entry));
        let log = match run.checked_sub(1) {
            None => &self.log,
            Some(other) => &self.other_logs[other],
        };
        Cow::Owned(Self {
            history: History(own.cloned().collect()),
            tape: self.tape.clone(),
            drawn: Vec::new(),
            recorder: self.recorder.clone(),
            log: log.clone(),
            other_logs: Vec::new(),
            run_of_life: self.run_of_life.clone(),
            broken: Vec::new(),
            world: None,
            took: None,
        })
    }
}
