//! What a recording runs again: a workload, or operations over several runs.

use crate::choices::{Choices, Tape};
use crate::fault::Schedule;
use crate::oracle::Verdict;
use crate::record::{HashedTrace, Source, Trial};
use crate::sim::Settings;

/// What a recording runs again: a workload ([`Source`]), or operations over several runs
/// ([`Operations`](crate::Operations)).
pub trait Simulated {
    /// The result of a simulation.
    type Trial: Judged;

    /// Its name in tokens and on the command line.
    fn name(&self) -> String;

    /// Runs it once, and checks the simulation with every oracle. Also returns the choices.
    fn run<C: Choices + 'static>(&self, settings: &Settings, choices: C) -> (Self::Trial, C);
}

/// A simulation that the oracles have checked.
pub trait Judged: PartialEq {
    /// Every choice, from the first on.
    fn tape(&self) -> &Tape;

    /// The promises that were broken.
    fn verdicts(&self) -> &[Verdict];

    /// The faults.
    fn schedule(&self) -> Schedule;

    /// Every event in order, with a hash for each.
    fn trace(&self) -> HashedTrace;

    /// Whether a life had to be stopped because it would never have ended.
    fn is_endless(&self) -> bool {
        false
    }
}

impl<S: Simulated> Simulated for &S {
    type Trial = S::Trial;

    fn name(&self) -> String {
        (**self).name()
    }

    fn run<C: Choices + 'static>(&self, settings: &Settings, choices: C) -> (S::Trial, C) {
        (**self).run(settings, choices)
    }
}

impl Simulated for Source<'_> {
    type Trial = Trial;

    fn name(&self) -> String {
        Source::name(self)
    }

    fn run<C: Choices + 'static>(&self, settings: &Settings, choices: C) -> (Trial, C) {
        Source::run(self, settings, choices)
    }
}

impl Judged for Trial {
    fn tape(&self) -> &Tape {
        &self.tape
    }

    fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    fn schedule(&self) -> Schedule {
        Trial::schedule(self)
    }

    fn trace(&self) -> HashedTrace {
        HashedTrace::of(self)
    }

    fn is_endless(&self) -> bool {
        self.run.history.is_endless()
    }
}
