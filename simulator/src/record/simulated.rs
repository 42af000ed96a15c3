//! What a recording runs again: a workload, or operations over several runs.

use crate::choices::swarm::{Possible, Swarm};
use crate::choices::{Choices, Seeded, Tape};
use crate::fault::Schedule;
use crate::oracle::Verdict;
use crate::record::{Divergence, HashedTrace, Source, Trial};
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

/// Runs the schedule of one seed. Also returns its settings, which a swarm restricts further.
/// Within them the trial's tape is an ordinary recording.
pub fn run_seed<S: Simulated>(
    source: S,
    settings: &Settings,
    possible: Possible,
    seed: u64,
) -> (S::Trial, Settings) {
    let choices = Seeded::new(seed);
    let mut settings = settings.clone();
    let trial = match possible {
        Possible::All => source.run(&settings, choices).0,
        Possible::Swarm => {
            let swarm = Swarm::draw(choices, settings.budget);
            settings.budget = swarm.budget();
            source.run(&settings, swarm).0
        }
    };
    (trial, settings)
}

impl HashedTrace {
    /// The divergence of two trials of the same choices, if they differ.
    pub fn divergence_of_trials<T: Judged>(first: &T, then: &T) -> Option<Divergence> {
        // Equal trials need no words.
        if first == then {
            return None;
        }
        first.trace().divergence(&then.trace())
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
