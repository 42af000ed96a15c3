//! The operations of a store and their answers, as data.

use std::fmt;

use crate::foreign::quoted;
use crate::recovery::CheckpointRow;

/// An operation of the contract, or of the listing.
#[derive(Debug)]
pub(super) enum Operation {
    Append { id: String, row: CheckpointRow },
    Clear { id: String },
    Load { id: String },
    List { after: Option<String>, limit: usize },
}

/// The answer to an operation.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Rows(Vec<CheckpointRow>),
    Ids(Vec<String>),
}

impl Operation {
    pub(super) fn writes(&self) -> bool {
        matches!(self, Self::Append { .. } | Self::Clear { .. })
    }

    /// The bytes of its data.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append { id, row } => {
                let blob = row.output_blob.as_ref().map_or(0, Vec::len);
                let parts = [row.state.len(), row.task_id.len(), blob];
                parts.into_iter().fold(id.len(), usize::saturating_add)
            }
            Self::Clear { id } | Self::Load { id } => id.len(),
            Self::List { after, .. } => after.as_ref().map_or(0, String::len),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append { id, row } => {
                write!(f, "append of row {} to run {}", row.sequence, quoted(id))
            }
            Self::Clear { id } => write!(f, "clear of run {}", quoted(id)),
            Self::Load { id } => write!(f, "load of run {}", quoted(id)),
            Self::List { .. } => f.write_str("listing of runs"),
        }
    }
}
