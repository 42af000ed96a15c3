//! Shrinks a violation: a smaller tape breaks the same promise.

use std::fmt;

use crate::choices::{Recorded, minimize};
use crate::explore::Violation;
use crate::record::{Judged, Recording, ReplayError, Simulated, Token, Trial};
use crate::report::render::counted;

/// More simulations than shrinking normally takes.
pub const SHRINK_RUNS_MAX: u64 = 20_000;

/// The result of shrinking a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk<T = Trial> {
    /// The remaining violation. The oracle is the same; its message may differ.
    pub violation: Violation,
    /// The simulation that has it.
    pub trial: T,
    /// The number of smaller schedules that led to it.
    pub steps: u64,
    /// The number of simulations that were run.
    pub runs: u64,
    /// Whether it is a local minimum: removing any draw or lowering any choice keeps the promise.
    /// False if the simulations ran out before every edit was tried.
    pub minimal: bool,
}

impl<T> Shrunk<T> {
    /// The token that replays it.
    pub fn token(&self) -> &Token {
        &self.violation.token
    }
}

impl<T> fmt::Display for Shrunk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, runs) = (
            counted(self.steps, "step"),
            counted(self.runs, "simulation"),
        );
        write!(f, "shrunk in {steps}, with {runs}, ")?;
        f.write_str(match self.minimal {
            true => "to a local minimum: no single draw can be removed or lowered",
            false => "and stopped there: it may not be a local minimum",
        })
    }
}

/// Shrinks a violation, with at most `runs_max` simulations. [`SHRINK_RUNS_MAX`] is plenty.
///
/// ```
/// use crashpoint_simulator::{SHRINK_RUNS_MAX, Possible, Settings, Source, explore_seeds, shrink, workload};
///
/// let mutant = workload::named("order~TerminalAbsorbs").expect("it is built in");
/// let source = Source::Fixed(&mutant);
/// let settings = Settings::within("c2f2".parse()?);
/// let findings = explore_seeds(source, &settings, Possible::All, 0..100);
/// let shrunk = shrink(source, &findings.violations[0], SHRINK_RUNS_MAX)?;
/// assert!(shrunk.minimal);
/// // This one needs no fault at all.
/// assert!(shrunk.violation.schedule.0.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the violation can no longer be replayed.
///
/// # Panics
///
/// As [`shrink_recording`].
pub fn shrink<S: Simulated>(
    source: S,
    violation: &Violation,
    runs_max: u64,
) -> Result<Shrunk<S::Trial>, ShrinkError> {
    let recording = Recording::Token(violation.token.clone());
    shrink_recording(source, &recording, violation.oracle, runs_max)
}

/// Shrinks a recorded simulation that breaks the promise of this oracle. See [`shrink`].
///
/// # Errors
///
/// If the simulation can no longer be replayed, or the oracle accepts it.
///
/// # Panics
///
/// If the same choices do not give the same simulation twice.
pub fn shrink_recording<S: Simulated>(
    source: S,
    recording: &Recording,
    oracle: &str,
    runs_max: u64,
) -> Result<Shrunk<S::Trial>, ShrinkError> {
    let (trial, settings) = recording.run(&source)?;
    let objected = |trial: &S::Trial| trial.verdicts().iter().any(|it| it.oracle == oracle);
    if !objected(&trial) {
        return Err(ShrinkError::Kept(oracle.to_owned()));
    }
    let minimum = minimize(trial.tape().clone(), runs_max, |edited| {
        let (trial, _) = source.run(&settings, edited);
        objected(&trial).then(|| trial.tape().clone())
    });
    let (smallest, _) = source.run(&settings, Recorded::new(minimum.tape.clone()));
    let verdict = smallest.verdicts().iter().find(|it| it.oracle == oracle);
    let verdict =
        verdict.expect("the shrinker continues from failing tapes, and only choices vary");
    let violation = Violation {
        oracle: verdict.oracle,
        message: verdict.message.clone(),
        schedule: smallest.schedule(),
        token: Token::of(&source.name(), &settings, &minimum.tape),
    };
    Ok(Shrunk {
        violation,
        trial: smallest,
        steps: minimum.steps,
        runs: minimum.runs,
        minimal: minimum.minimal,
    })
}

/// Why a simulation cannot be shrunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// It cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The oracle accepts it.
    #[error("the oracle {0} accepts this simulation")]
    Kept(String),
}
