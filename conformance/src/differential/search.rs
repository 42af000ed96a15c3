//! Draws and performs cases until one shows a difference, which is then shrunk.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::draw::{Scope, cases};
use super::found::{Counted, Ended, FULL_ONE_IN, Found};
use super::operations::Operations;
use super::play::{Played, play};
use super::shrink::smallest;
use crate::contract::capability::Claim;
use crate::finding::expect::Failure;
use crate::harness::{Harness, Subject};

/// How a store is compared with the model.
#[derive(Debug, Clone)]
pub struct Differential {
    seed: u64,
    cases: u64,
    scope: Scope,
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
    ///
    /// # Panics
    ///
    /// Never: each case is performed, or ends the comparison.
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
        assert_eq!(ended.cases, self.cases, "every case was performed");
        assert!(ended.full <= ended.cases, "a case counts as full once");
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
        | Failure::Late(message)
        | Failure::Harness(message)
        | Failure::NotRun(message)
        | Failure::Inconclusive(message) => message,
    }
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
