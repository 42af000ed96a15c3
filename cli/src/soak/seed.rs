//! Runs one seed and judges it.

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::workload::generated::Node;
use crashpoint_simulator::{
    Budget, Possible, Schedule, Settings, Source, StoreKind, TapeFile, Token, Trial, run_seed,
};

use crate::replay::twice::difference;

/// The largest budget that a seed may draw: more of most groups than `explore` has.
pub(crate) const MOST: Budget = Budget {
    crashes: 3,
    faults: 2,
    disk: 2,
    errors: 2,
    takeovers: 2,
    preemptions: 4,
    cancels: 1,
    jumps: 2,
    breaches: 0,
    orders: 0,
    services: 0,
};

/// The outcome of a seed.
#[derive(Debug)]
pub enum SeedOutcome {
    /// Every promise was kept.
    Kept,
    /// Promises were broken.
    Broken(Box<Failing>),
    /// It ran differently the second time; the first difference.
    Nondeterministic(String),
    /// The simulator panicked, which is a bug.
    Panicked,
}

/// A seed that broke promises.
#[derive(Debug)]
pub struct Failing {
    /// The promises.
    pub verdicts: Vec<Verdict>,
    /// The faults, in words.
    pub(crate) schedule: Schedule,
    /// The workflow, if it was generated.
    pub(crate) nodes: Option<Vec<Node>>,
    pub(crate) token: Token,
    pub(crate) tape: TapeFile,
}

/// Runs the schedule of a seed, and again if `repeated` is set or a promise is broken.
pub fn examine(source: Source<'_>, store: StoreKind, seed: u64, repeated: bool) -> SeedOutcome {
    let most = Settings {
        store,
        ..Settings::within(MOST)
    };
    let (trial, settings) = run_seed(source, &most, Possible::Swarm, seed);
    if repeated || !trial.verdicts.is_empty() {
        let (again, _) = run_seed(source, &most, Possible::Swarm, seed);
        if let Some(difference) = difference(&trial, &again) {
            return SeedOutcome::Nondeterministic(difference);
        }
    }
    if trial.verdicts.is_empty() {
        return SeedOutcome::Kept;
    }
    let name = source.name();
    let schedule = trial.schedule();
    let Trial {
        verdicts,
        tape,
        nodes,
        ..
    } = trial;
    SeedOutcome::Broken(Box::new(Failing {
        verdicts,
        schedule,
        nodes,
        token: Token::of_seed(&name, &most, Possible::Swarm, seed, &tape),
        tape: TapeFile::of(&name, &settings, &tape),
    }))
}
