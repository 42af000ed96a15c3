//! Draws and performs cases until one shows a difference, which is then shrunk.

use std::fmt::{self, Write as _};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::draw::{Scope, cases};
use super::operations::{Operation, Operations};
use super::play::{Played, play};
use crate::contract::capability::Claim;
use crate::finding::expect::Failure;
use crate::harness::{Harness, Subject};

/// One case in this many must have every kind of operation for the result to count.
const FULL_ONE_IN: u64 = 8;

/// The most cases that are tried to shrink one.
const SHRINKS_MAX: usize = 4000;

/// How a store is compared with the model.
#[derive(Debug, Clone)]
pub struct Differential {
    seed: u64,
    cases: u64,
    scope: Scope,
}

/// How often each operation had something to do, and how often it had nothing to do. An append that
/// has nothing to do is a rejection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counted {
    /// Appends that were accepted.
    pub appends: u64,
    /// Appends that were rejected, because their sequence was taken.
    pub rejections: u64,
    /// Loads of runs with rows, without those at the end of a case.
    pub loads: u64,
    /// Loads of runs without rows.
    pub loads_of_nothing: u64,
    /// Clears of runs with rows.
    pub clears: u64,
    /// Clears of runs without rows.
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

/// The result of a comparison in which every answer was the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// How many cases were performed.
    pub cases: u64,
    /// How many of them had every kind of operation, with something to do and with nothing to do.
    pub full: u64,
    /// The operations of all cases.
    pub counted: Counted,
}

/// Why a comparison did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// An answer differs from the model's.
    Difference {
        /// The seed of the cases.
        seed: u64,
        /// The number of the case that showed the difference, from 0; `None` for a replay.
        number: Option<u64>,
        /// The smallest operations that show it.
        operations: Operations,
        /// The answers to them, without the last if that answer differs.
        answers: Vec<String>,
        /// What was expected, and what the store answered.
        message: String,
    },
    /// Too few cases had every kind of operation: nothing is known about the store.
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
    /// 128 cases of up to 48 operations from the seed 0, without reopening the store.
    pub fn new() -> Self {
        let scope = Scope {
            operations_max: 48,
            reopens: false,
            engine_kinds: true,
        };
        Self {
            seed: 0,
            cases: 128,
            scope,
        }
    }

    /// Sets the seed. The same seed draws the same cases.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many cases are drawn.
    #[must_use]
    pub fn cases(mut self, cases: u64) -> Self {
        self.cases = cases;
        self
    }

    /// Sets the most operations of a case; 0 counts as 1.
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
    /// If an answer differs, the harness fails, or too few cases had every kind of operation.
    pub fn run<H: Harness>(&self) -> Result<Ended, Box<Found>> {
        let subject = Subject::of::<H>();
        let drawn = cases(self.scope);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut ended = Ended {
            cases: 0,
            full: 0,
            counted: Counted::default(),
        };
        for number in 0..self.cases {
            let tree = drawn.new_tree(&mut runner);
            let tree = tree.map_err(|reason| Found::Harness(format!("nothing drawn: {reason}")))?;
            let played = play(&subject, &tree.current());
            match played.checked {
                Ok(()) => {
                    ended.cases += 1;
                    ended.full += u64::from(played.counted.is_full(self.scope));
                    ended.counted.add(&played.counted);
                }
                Err(Failure::Broken(_)) => {
                    let operations = smallest(&subject, tree);
                    return Err(Box::new(difference(
                        &subject,
                        self.seed,
                        Some(number),
                        operations,
                    )));
                }
                Err(other) => return Err(Box::new(Found::Harness(words(other)))),
            }
        }
        if ended.full * FULL_ONE_IN < ended.cases || ended.full == 0 {
            return Err(Box::new(Found::Inconclusive(ended)));
        }
        Ok(ended)
    }
}

impl Operations {
    /// Performs the operations on a store of `H` and on the model.
    ///
    /// # Errors
    ///
    /// If an answer differs, or the harness fails.
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

/// Shrinks a case with proptest, then by removing single operations.
fn smallest(subject: &Subject, mut tree: impl ValueTree<Value = Operations>) -> Operations {
    let mut left = SHRINKS_MAX;
    let mut differs = |operations: &Operations| {
        left = left.saturating_sub(1);
        let played = play(subject, operations);
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
    let mut index = found.as_slice().len();
    while index > 0 {
        index -= 1;
        let shorter = found.without(index);
        if let Some(at) = differs(&shorter) {
            found = shorter.up_to(at);
            index = found.as_slice().len();
        }
    }
    for index in 0..found.as_slice().len() {
        let simpler = found.with_one_row(index);
        let simpler = simpler
            .into_iter()
            .find(|simpler| differs(simpler).is_some());
        found = simpler.unwrap_or(found);
    }
    found
}

fn difference(subject: &Subject, seed: u64, number: Option<u64>, operations: Operations) -> Found {
    let Played {
        answers, checked, ..
    } = play(subject, &operations);
    let message = match checked {
        Ok(()) => "performed once more, the operations had the model's answers".to_owned(),
        Err(failure) => words(failure),
    };
    Found::Difference {
        seed,
        number,
        operations,
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
                operations,
                answers,
                message,
            } => {
                let source = number.map_or_else(String::new, |number| {
                    format!(" (seed {seed}, case {number}, shrunk)")
                });
                writeln!(f, "the store does not answer as the model does{source}:\n")?;
                f.write_str(&listed(operations, answers))?;
                writeln!(f, "\n{message}\n\nas a test:\n")?;
                writeln!(f, "use crashpoint_conformance::differential::*;\n")?;
                writeln!(f, "let operations = {};", operations.to_code())?;
                f.write_str("operations.replay::<Mine>().unwrap();")
            }
            Self::Inconclusive(ended) => {
                let Ended {
                    cases,
                    full,
                    counted,
                } = ended;
                write!(
                    f,
                    "{full} of {cases} cases had every kind of operation, with something to do and with \
                     nothing to do; expected at least one in {FULL_ONE_IN}: {counted:?}"
                )
            }
            Self::Harness(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Found {}

fn listed(operations: &Operations, answers: &[String]) -> String {
    let mut text = String::new();
    for (index, operation) in operations.as_slice().iter().enumerate() {
        let answer = answers.get(index).map_or("differs", String::as_str);
        let (number, operation) = (index + 1, Operation::to_string(operation));
        let _ = writeln!(text, "{number:>4}  {operation}: {answer}");
    }
    text
}
