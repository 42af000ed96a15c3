//! Histories one after the other, until one of them shows a difference, which is then made small.

use std::fmt::{self, Write as _};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::draw::{Scope, histories};
use super::history::{History, Operation};
use super::play::{Played, play};
use crate::contract::capability::Claim;
use crate::finding::expect::Failure;
use crate::harness::{Harness, Subject};

/// Of the histories that were played, one in so many has to be full for the whole to count.
const FULL_ONE_IN: u64 = 8;

/// The most histories that are played to make one small.
const SHRINKS_MAX: usize = 4000;

/// How a store is compared with the model.
#[derive(Debug, Clone)]
pub struct Differential {
    seed: u64,
    histories: u64,
    scope: Scope,
}

/// How often each operation was asked for with something to do, and with nothing: the second is a
/// rejection where the contract has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counted {
    /// Appends that were taken in.
    pub appends: u64,
    /// Appends that were refused, since their sequence was taken.
    pub rejections: u64,
    /// Loads of runs with rows, but for those at the end.
    pub loads: u64,
    /// Loads of runs without.
    pub loads_of_nothing: u64,
    /// Clears of runs with rows.
    pub clears: u64,
    /// Clears of runs without.
    pub clears_of_nothing: u64,
    /// Times that the store was dropped and opened again.
    pub reopenings: u64,
}

impl Counted {
    fn is_full(&self, scope: Scope) -> bool {
        let each = [
            self.appends,
            self.rejections,
            self.loads,
            self.loads_of_nothing,
            self.clears,
            self.clears_of_nothing,
        ];
        each.iter().all(|&count| count > 0) && (self.reopenings > 0 || !scope.reopens)
    }

    fn add(&mut self, other: &Self) {
        self.appends += other.appends;
        self.rejections += other.rejections;
        self.loads += other.loads;
        self.loads_of_nothing += other.loads_of_nothing;
        self.clears += other.clears;
        self.clears_of_nothing += other.clears_of_nothing;
        self.reopenings += other.reopenings;
    }
}

/// Every history had the model's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// The histories that were played.
    pub histories: u64,
    /// Those in which every kind of operation had something to do, and nothing.
    pub full: u64,
    /// What all of them came to.
    pub counted: Counted,
}

/// Why a store was not found to be as the model is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// An answer differs.
    Difference {
        /// The seed of the histories.
        seed: u64,
        /// The number of the one that showed it, from 0; none for a replay.
        number: Option<u64>,
        /// The smallest one that does.
        history: History,
        /// What its operations did, the last of them not included where its answer differs.
        answers: Vec<String>,
        /// What was expected, and what came.
        message: String,
    },
    /// Too few histories had every kind of operation: nothing is known.
    Inconclusive(Ended),
    /// The harness failed: nothing is known about the store.
    Harness(String),
}

impl Default for Differential {
    fn default() -> Self {
        Self::new()
    }
}

impl Differential {
    /// 128 histories of up to 48 operations from the seed 0, for a store that does not keep its rows.
    pub fn new() -> Self {
        let scope = Scope {
            operations_max: 48,
            reopens: false,
            engine_kinds: true,
        };
        Self {
            seed: 0,
            histories: 128,
            scope,
        }
    }

    /// Draws from this seed. The same seed draws the same histories.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Plays so many histories.
    #[must_use]
    pub fn histories(mut self, histories: u64) -> Self {
        self.histories = histories;
        self
    }

    /// Draws histories of up to so many operations, at least 1.
    #[must_use]
    pub fn operations_max(mut self, operations: usize) -> Self {
        self.scope.operations_max = operations.max(1);
        self
    }

    /// Claims capabilities: with [`Claim::Reopen`] stores are dropped and opened again.
    #[must_use]
    pub fn claims(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.scope.reopens |= claims.into_iter().any(|claim| claim == Claim::Reopen);
        self
    }

    /// Takes back claims that are assumed: without [`Claim::EngineKinds`] rows have the three kinds of
    /// the reference contract.
    #[must_use]
    pub fn lacks(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.scope.engine_kinds &= claims.into_iter().all(|claim| claim != Claim::EngineKinds);
        self
    }

    /// Compares the stores of `H` with the model, as a test.
    ///
    /// # Panics
    ///
    /// With whatever was [found](Found).
    pub fn check<H: Harness>(&self) {
        if let Err(found) = self.run::<H>() {
            panic!("{found}");
        }
    }

    /// Compares the stores of `H` with the model.
    ///
    /// # Errors
    ///
    /// Where an answer differs, the harness fails, or too few histories had every kind of operation.
    pub fn run<H: Harness>(&self) -> Result<Ended, Box<Found>> {
        let subject = Subject::of::<H>();
        let drawn = histories(self.scope);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut ended = Ended {
            histories: 0,
            full: 0,
            counted: Counted::default(),
        };
        for number in 0..self.histories {
            let tree = drawn.new_tree(&mut runner);
            let tree = tree.map_err(|reason| Found::Harness(format!("nothing drawn: {reason}")))?;
            let played = play(&subject, &tree.current());
            match played.checked {
                Ok(()) => {
                    ended.histories += 1;
                    ended.full += u64::from(played.counted.is_full(self.scope));
                    ended.counted.add(&played.counted);
                }
                Err(Failure::Broken(_)) => {
                    let history = smallest(&subject, tree);
                    return Err(Box::new(difference(
                        &subject,
                        self.seed,
                        Some(number),
                        history,
                    )));
                }
                Err(other) => return Err(Box::new(Found::Harness(words(other)))),
            }
        }
        if ended.full * FULL_ONE_IN < ended.histories || ended.full == 0 {
            return Err(Box::new(Found::Inconclusive(ended)));
        }
        Ok(ended)
    }
}

impl History {
    /// Plays the history on a store of `H` and on the model.
    ///
    /// # Errors
    ///
    /// Where an answer differs, or the harness fails.
    pub fn replay<H: Harness>(&self) -> Result<(), Box<Found>> {
        let subject = Subject::of::<H>();
        match play(&subject, self).checked {
            Ok(()) => Ok(()),
            Err(Failure::Broken(_)) => Err(Box::new(difference(&subject, 0, None, self.clone()))),
            Err(other) => Err(Box::new(Found::Harness(words(other)))),
        }
    }
}

fn words(failure: Failure) -> String {
    match failure {
        Failure::Broken(message)
        | Failure::Harness(message)
        | Failure::NotRun(message)
        | Failure::Inconclusive(message) => message,
    }
}

/// The smallest history that proptest and then the removal of single operations come to.
fn smallest(subject: &Subject, mut tree: impl ValueTree<Value = History>) -> History {
    let mut left = SHRINKS_MAX;
    let mut differs = |history: &History| {
        left = left.saturating_sub(1);
        let played = play(subject, history);
        let at = played.answers.len();
        (left > 0 && matches!(played.checked, Err(Failure::Broken(_)))).then_some(at)
    };
    let mut found = tree.current();
    'simpler: while tree.simplify() {
        while differs(&tree.current()).is_none() {
            if !tree.complicate() {
                break 'simpler;
            }
        }
        found = tree.current();
    }
    // Each operation in turn: what is left then is needed.
    let mut index = found.operations().len();
    while index > 0 {
        index -= 1;
        let shorter = found.without(index);
        if let Some(at) = differs(&shorter) {
            found = shorter.up_to(at);
            index = found.operations().len();
        }
    }
    for index in 0..found.operations().len() {
        let simpler = found.with_one_row(index);
        let simpler = simpler
            .into_iter()
            .find(|simpler| differs(simpler).is_some());
        found = simpler.unwrap_or(found);
    }
    found
}

fn difference(subject: &Subject, seed: u64, number: Option<u64>, history: History) -> Found {
    let Played {
        answers, checked, ..
    } = play(subject, &history);
    let message = match checked {
        Ok(()) => "played once more, the history had the model's answers".to_owned(),
        Err(failure) => words(failure),
    };
    Found::Difference {
        seed,
        number,
        history,
        answers,
        message,
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Difference {
                seed,
                number,
                history,
                answers,
                message,
            } => {
                let whence = number.map_or_else(String::new, |number| {
                    format!(" (seed {seed}, history {number}, made small)")
                });
                writeln!(f, "the store does not answer as the model does{whence}:\n")?;
                f.write_str(&drawn(history, answers))?;
                writeln!(f, "\n{message}\n\nas a test:\n")?;
                writeln!(f, "use crashpoint_conformance::differential::*;\n")?;
                writeln!(f, "let history = {};", history.to_code())?;
                f.write_str("history.replay::<Mine>().unwrap();")
            }
            Self::Inconclusive(ended) => {
                let Ended {
                    histories,
                    full,
                    counted,
                } = ended;
                write!(
                    f,
                    "in {full} of {histories} histories every kind of operation had something to do, \
                     and nothing; one in {FULL_ONE_IN} has to: {counted:?}"
                )
            }
            Self::Harness(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Found {}

fn drawn(history: &History, answers: &[String]) -> String {
    let mut text = String::new();
    for (index, operation) in history.operations().iter().enumerate() {
        let answer = answers.get(index).map_or("differs", String::as_str);
        let (number, operation) = (index + 1, Operation::to_string(operation));
        let _ = writeln!(text, "{number:>4}  {operation}: {answer}");
    }
    text
}
