//! A linearizability checker for the history of one run. It searches an order of the operations, each
//! taking effect at an instant between its beginning and its end, that explains every answer.
//!
//! The model is a run according to the contract, and shares no code with any store. Runs are independent,
//! so each run has its own history. The search is Wing and Gong's with Lowe's memory: each pair of a set
//! of completed operations and the state after them is visited once.
//!
//! ```
//! use crashpoint_conformance::linearize::{Answer, Call, History, Operation, Start};
//!
//! let mut history = History::default();
//! let operation = |begun, ended, call| Operation { caller: 0, begun, ended: Some(ended), call };
//! let stored = Call::Append { sequence: 0, mark: 1, answer: Answer::Stored };
//! history.push(operation(1, 2, stored));
//! history.push(operation(3, 4, Call::Load { rows: Some(vec![(0, 1)]) }));
//! assert!(history.is_linearizable(&Start::default()));
//!
//! // The row was acknowledged, and then it is missing.
//! history.push(operation(5, 6, Call::Load { rows: Some(vec![]) }));
//! assert!(!history.is_linearizable(&Start::default()));
//! ```

mod draw;
mod search;
mod window;

use std::collections::BTreeMap;

pub use self::window::Window;

/// The most operations in one history.
pub const OPERATIONS_MAX: usize = 128;

// The search keeps the set of completed operations in a `u128`.
const _: () = assert!(OPERATIONS_MAX <= u128::BITS as usize);

/// The mark of a row that nobody appended: a torn row, or a row of another run.
pub const MARK_FOREIGN: u32 = u32::MAX;

/// The rows of a run when its history begins: the mark at each sequence.
pub type Start = BTreeMap<u64, u32>;

/// One operation as its caller saw it. Instants are ticks of a clock that all callers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The number of the caller.
    pub caller: usize,
    /// A tick before the call.
    pub begun: u64,
    /// A tick after the answer; `None` without an answer.
    pub ended: Option<u64>,
    /// The call and its answer.
    pub call: Call,
}

/// A call of a store with its answer. A mark identifies a row: no two appends of a history have the same
/// mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// An append of the row `mark`.
    Append {
        /// The sequence of the row.
        sequence: u64,
        /// The mark of the row.
        mark: u32,
        /// The answer.
        answer: Answer,
    },
    /// A load.
    Load {
        /// Sequence and mark of each row; `None` for an error.
        rows: Option<Vec<(u64, u32)>>,
    },
    /// A clear.
    Clear {
        /// Whether it was acknowledged. Otherwise it may take effect at once, later or never.
        done: bool,
    },
}

/// The answer of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Ok: the sequence was free, and the row is stored.
    Stored,
    /// A conflict: the sequence was taken.
    Taken,
    /// Another error or no answer: the row may be stored at once, later or never.
    Unknown,
}

/// Every operation on one run.
#[derive(Debug, Clone, Default)]
pub struct History {
    operations: Vec<Operation>,
}

impl History {
    /// Adds an operation, in any order.
    ///
    /// # Panics
    ///
    /// If there are more than [`OPERATIONS_MAX`] operations.
    pub fn push(&mut self, operation: Operation) {
        assert!(
            self.operations.len() < OPERATIONS_MAX,
            "a history has at most {OPERATIONS_MAX} operations"
        );
        self.operations.push(operation);
    }

    /// The operations, in the order of pushing.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether one order of the operations explains every answer.
    pub fn is_linearizable(&self, start: &Start) -> bool {
        search::explains(&self.operations, start)
    }

    /// Whether operations of two callers overlap in time. Without that a history says nothing about
    /// concurrency.
    pub fn overlaps(&self) -> bool {
        let operations = &self.operations;
        operations.iter().enumerate().any(|(index, earlier)| {
            operations[index + 1..]
                .iter()
                .any(|later| earlier.caller != later.caller && earlier.overlaps(later))
        })
    }

    /// A minimal part of the history that no order explains; `None` if an order explains the whole.
    pub fn failing_window(&self, start: &Start) -> Option<Window> {
        window::smallest(&self.operations, start)
    }
}

impl Operation {
    fn end(&self) -> u64 {
        // An operation without a certain answer can take effect at any time.
        match self.call {
            Call::Append {
                answer: Answer::Unknown,
                ..
            }
            | Call::Clear { done: false } => u64::MAX,
            _ => self.ended.unwrap_or(u64::MAX),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.begun < other.ended.unwrap_or(u64::MAX) && other.begun < self.ended.unwrap_or(u64::MAX)
    }

    /// Whether every order that explains the history must contain it.
    fn is_certain(&self) -> bool {
        self.ended.is_some() && self.end() != u64::MAX
    }

    /// Whether it leaves the run unchanged.
    fn only_reads(&self) -> bool {
        matches!(
            self.call,
            Call::Load { .. }
                | Call::Append {
                    answer: Answer::Taken,
                    ..
                }
        )
    }
}
