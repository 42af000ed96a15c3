//! The rows of a log: one for each transition of a run.
//!
//! A row is inert data. Only the codec of [`Event`](crate::Event) gives it a meaning; a store copies
//! rows and never looks inside a blob.

use serde::{Deserialize, Serialize};

use crate::foreign::quoted;

/// Makes [`RowKind`] of a table with a line for each kind: its docs, its name and its word.
macro_rules! row_kinds {
    ($($(#[$attribute:meta])* $kind:ident = $word:literal,)*) => {
        /// The kind of a [`CheckpointRow`].
        ///
        /// The first three kinds have the names and the order of the reference contract; the engine adds
        /// the others. A store that keeps the kind as a number uses [`code`](Self::code) and `TryFrom<u8>`;
        /// a store that keeps it as a word uses [`as_str`](Self::as_str) and `FromStr`. Neither changes for a
        /// released kind.
        ///
        /// ```
        /// use crashpoint::RowKind;
        ///
        /// for &kind in RowKind::ALL {
        ///     assert_eq!(RowKind::try_from(kind.code()), Ok(kind));
        /// }
        /// assert_eq!(RowKind::try_from(200).unwrap_err().to_string(), "unknown row kind 200");
        /// ```
        #[non_exhaustive]
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        pub enum RowKind {
            $($(#[$attribute])* $kind,)*
        }

        impl RowKind {
            /// Every kind, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The number under which a backend may store this kind: its position in [`ALL`](Self::ALL).
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The word under which a backend may store this kind, lower case with underscores.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

// The code of a kind is its position, so a new kind goes to the end.
row_kinds! {
    /// The run entered a state (the common case).
    #[default]
    StateEntry = "state_entry",
    /// A compensatable task completed; the blob is its serialized output, the state is entered next.
    CompensationCompletion = "compensation_completion",
    /// A stepped task advanced; the blob is its cursor.
    StepCursor = "step_cursor",
    /// A life claimed the run; the blob is the claim record.
    Claim = "claim",
    /// Reserved: a branch of a split completed. The engine neither writes nor accepts it yet.
    BranchCompletion = "branch_completion",
    /// A rollback started; the blob is its cause.
    RollbackStart = "rollback_start",
    /// A compensation succeeded; the blob names the undone row.
    Compensated = "compensated",
    /// A compensation failed for good; the blob names the row and the error.
    CompensationFailed = "compensation_failed",
    /// Every compensation succeeded; terminal.
    RolledBack = "rolled_back",
    /// A plain task completed and left an output; the blob is its serialized output, the state is
    /// entered next.
    TaskOutput = "task_output",
    /// A router chose the state that was entered. It had no outside effect.
    Routed = "routed",
    /// A timer was set; the blob is its deadline.
    TimerStart = "timer_start",
    /// The rounds of a polling task; the blob is their number and the deadline of the visit.
    PollRounds = "poll_rounds",
}

const _: () = assert!(
    RowKind::ALL.len() <= 1 << u8::BITS,
    "the code of every kind fits into a byte"
);

/// The error for a number or a word that names no [`RowKind`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown row kind {0}")]
pub struct UnknownRowKind(String);

impl TryFrom<u8> for RowKind {
    type Error = UnknownRowKind;

    fn try_from(code: u8) -> Result<Self, UnknownRowKind> {
        Self::ALL
            .get(usize::from(code))
            .copied()
            .ok_or_else(|| UnknownRowKind(code.to_string()))
    }
}

impl std::str::FromStr for RowKind {
    type Err = UnknownRowKind;

    fn from_str(word: &str) -> Result<Self, UnknownRowKind> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == word);
        found.copied().ok_or_else(|| UnknownRowKind(quoted(word)))
    }
}

impl std::fmt::Display for RowKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One recorded transition of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// Position of this transition within its run; the engine counts densely from `0`.
    pub sequence: u64,
    /// The state that was entered at this transition.
    pub state: String,
    /// The task that produced this transition.
    pub task_id: String,
    /// The data of the transition; its meaning depends on [`kind`](Self::kind).
    pub output_blob: Option<Vec<u8>>,
    /// The kind of the transition.
    pub kind: RowKind,
}

impl CheckpointRow {
    /// A plain state entry: [`RowKind::StateEntry`] without a blob.
    pub fn new(sequence: u64, state: impl Into<String>, task_id: impl Into<String>) -> Self {
        Self {
            sequence,
            state: state.into(),
            task_id: task_id.into(),
            output_blob: None,
            kind: RowKind::StateEntry,
        }
    }

    /// Turns the row into a [`RowKind::CompensationCompletion`] that carries a task's output.
    #[must_use]
    pub fn with_output(self, output_blob: Vec<u8>) -> Self {
        self.with_blob(RowKind::CompensationCompletion, output_blob)
    }

    /// Turns the row into a [`RowKind::StepCursor`] that carries a stepped task's cursor.
    #[must_use]
    pub fn with_cursor(self, cursor_blob: Vec<u8>) -> Self {
        self.with_blob(RowKind::StepCursor, cursor_blob)
    }

    /// Sets kind and blob together; a kind without a blob is set through the field.
    #[must_use]
    pub fn with_blob(mut self, kind: RowKind, blob: Vec<u8>) -> Self {
        self.kind = kind;
        self.output_blob = Some(blob);
        self
    }
}
