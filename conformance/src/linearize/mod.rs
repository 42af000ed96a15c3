//! A linearizability checker for the histories of one run: is there one order of the operations, each
//! taking effect at an instant between its beginning and its end, that explains every answer?
//!
//! The model is a run as the contract has it, and shares no code with any store. Runs do not meet, so
//! a history is checked id by id. The search is that of Wing and Gong with the memory of Lowe: a set
//! of operations that have taken effect, together with the state it led to, is looked at once.
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
//! // Acknowledged, and then not there.
//! history.push(operation(5, 6, Call::Load { rows: Some(vec![]) }));
//! assert!(!history.is_linearizable(&Start::default()));
//! ```

mod draw;
mod search;
mod window;

use std::collections::BTreeMap;

pub use self::window::Window;

/// Most operations in one history, so that a set of them is one number.
pub const OPERATIONS_MAX: usize = 128;

// The search keeps the set of the operations that are done in a `u128`.
const _: () = assert!(OPERATIONS_MAX <= u128::BITS as usize);

/// The mark of a row that nobody appended: a torn one, or one of another run.
pub const MARK_FOREIGN: u32 = u32::MAX;

/// What a run holds when a history begins: the mark of the row at each sequence.
pub type Start = BTreeMap<u64, u32>;

/// One operation, as its caller saw it. The instants are ticks of one clock that all callers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Who called.
    pub caller: usize,
    /// A tick before the store was asked.
    pub begun: u64,
    /// A tick after it answered; `None` where it did not.
    pub ended: Option<u64>,
    /// What was asked and answered.
    pub call: Call,
}

/// What was asked of a store, and what it answered. A row goes by its mark, a number that no other
/// append of the history has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// An append of the row `mark`.
    Append {
        /// Where.
        sequence: u64,
        /// Which row.
        mark: u32,
        /// What came of it.
        answer: Answer,
    },
    /// A load: sequence and mark of each row, or `None` for an error.
    Load {
        /// What came.
        rows: Option<Vec<(u64, u32)>>,
    },
    /// A clear.
    Clear {
        /// Whether it was acknowledged; otherwise it may have taken effect, then or later.
        done: bool,
    },
}

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Ok: the sequence was free, and the row is there.
    Stored,
    /// A conflict: the sequence was taken.
    Taken,
    /// Any other error, or none: the row may be there, at once, later or never.
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
    /// Beyond [`OPERATIONS_MAX`] operations.
    pub fn push(&mut self, operation: Operation) {
        assert!(
            self.operations.len() < OPERATIONS_MAX,
            "a history has at most {OPERATIONS_MAX} operations"
        );
        self.operations.push(operation);
    }

    /// The operations, as they were pushed.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether one order of the operations explains every answer.
    pub fn is_linearizable(&self, start: &Start) -> bool {
        search::explains(&self.operations, start)
    }

    /// Whether two operations of different callers were under way at once. Without that a history
    /// says nothing about concurrency.
    pub fn overlaps(&self) -> bool {
        let operations = &self.operations;
        operations.iter().enumerate().any(|(index, one)| {
            operations[index + 1..]
                .iter()
                .any(|other| one.caller != other.caller && one.meets(other))
        })
    }

    /// A smallest part of the history that no order explains; `None` where one explains the whole.
    pub fn failing_window(&self, start: &Start) -> Option<Window> {
        window::smallest(&self.operations, start)
    }
}

impl Operation {
    fn end(&self) -> u64 {
        // What had no answer can take effect at any time.
        match self.call {
            Call::Append {
                answer: Answer::Unknown,
                ..
            }
            | Call::Clear { done: false } => u64::MAX,
            _ => self.ended.unwrap_or(u64::MAX),
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.begun < other.ended.unwrap_or(u64::MAX) && other.begun < self.ended.unwrap_or(u64::MAX)
    }

    /// Whether it has to be part of an order that explains the history.
    fn is_certain(&self) -> bool {
        self.ended.is_some() && self.end() != u64::MAX
    }

    /// Whether it leaves the run as it was.
    fn only_looks(&self) -> bool {
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
