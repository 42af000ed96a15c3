//! What a comparison finds, and how it prints.

use std::fmt::{self, Write as _};

use super::draw::Scope;
use super::operations::{Operation, Operations};

/// One case in this many must have every kind of operation for the result to count.
pub(super) const FULL_ONE_IN: u64 = 8;

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
    pub(super) fn is_full(&self, scope: Scope) -> bool {
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

    pub(super) fn add(&mut self, other: &Self) {
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
