//! One seed, run and judged.

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::workload::generated::Node;
use crashpoint_simulator::{
    Budget, Possible, Schedule, Settings, Source, StoreKind, TapeFile, Token, Trial, run_seed,
};

use crate::replay::rerun::parted;

/// What a seed may draw at most: of most groups more than `explore` has.
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
};

/// What came of a seed.
#[derive(Debug)]
pub enum Outcome {
    /// Every promise was kept.
    Kept,
    /// Promises were broken.
    Broken(Box<Failing>),
    /// Run twice, it was not the same; where it parted.
    Parted(String),
    /// The simulator panicked, which is a bug of its own.
    Panicked,
}

/// A seed that broke promises.
#[derive(Debug)]
pub struct Failing {
    /// The promises.
    pub verdicts: Vec<Verdict>,
    /// The faults, in words.
    pub(crate) schedule: Schedule,
    /// The workflow, where it was drawn.
    pub(crate) nodes: Option<Vec<Node>>,
    pub(crate) token: Token,
    pub(crate) tape: TapeFile,
}

/// Runs the schedule of a seed, and once more where that is asked for or a promise is broken.
pub fn examine(source: Source<'_>, store: StoreKind, seed: u64, repeated: bool) -> Outcome {
    let most = Settings {
        store,
        ..Settings::within(MOST)
    };
    let (trial, settings) = run_seed(source, &most, Possible::Swarm, seed);
    if repeated || !trial.verdicts.is_empty() {
        let (again, _) = run_seed(source, &most, Possible::Swarm, seed);
        if let Some(difference) = parted(&trial, &again) {
            return Outcome::Parted(difference);
        }
    }
    if trial.verdicts.is_empty() {
        return Outcome::Kept;
    }
    let name = source.name();
    let schedule = trial.schedule();
    let Trial {
        verdicts,
        tape,
        nodes,
        ..
    } = trial;
    Outcome::Broken(Box::new(Failing {
        verdicts,
        schedule,
        nodes,
        token: Token::of_seed(&name, &most, Possible::Swarm, seed, &tape),
        tape: TapeFile::of(&name, &settings, &tape),
    }))
}
