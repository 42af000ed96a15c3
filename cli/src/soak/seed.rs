//! Runs one seed and judges it.

use crashpoint_simulator::oracle::Verdict;
use crashpoint_simulator::{
    Budget, Judged as _, Possible, Settings, Simulated, StoreKind, TapeFile, Token, run_seed,
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
    /// What ran, and the faults, in words.
    pub(crate) story: String,
    pub(crate) token: Token,
    pub(crate) tape: TapeFile,
}

/// Runs the schedule of a seed, and again if `repeated` is set or a promise is broken. `story` has the
/// words for a trial that broke a promise.
pub fn examine<S: Simulated + Copy>(
    source: S,
    store: StoreKind,
    seed: u64,
    repeated: bool,
    story: impl Fn(&S::Trial) -> String,
) -> SeedOutcome {
    let most = Settings {
        store,
        ..Settings::within(MOST)
    };
    let (trial, settings) = run_seed(source, &most, Possible::Swarm, seed);
    let is_broken = !trial.verdicts().is_empty();
    if repeated || is_broken {
        let (again, _) = run_seed(source, &most, Possible::Swarm, seed);
        if let Some(difference) = difference(&trial, &again) {
            return SeedOutcome::Nondeterministic(difference);
        }
    }
    if !is_broken {
        return SeedOutcome::Kept;
    }
    let name = source.name();
    SeedOutcome::Broken(Box::new(Failing {
        verdicts: trial.verdicts().to_vec(),
        story: story(&trial),
        token: Token::of_seed(&name, &most, Possible::Swarm, seed, trial.tape()),
        tape: TapeFile::of(&name, &settings, trial.tape()),
    }))
}
