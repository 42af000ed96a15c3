//! The current action of a life: half of the name of an instant. It is formatted only when an
//! instant is named.

use std::fmt;

use crashpoint::{Ctx, Direction};
use smol_str::{SmolStr, format_smolstr};

/// The word for an append, in the names of instants.
const APPEND: &str = "append";

/// The current action of a life.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Activity {
    /// No action yet.
    #[default]
    Beginning,
    /// It opens the store.
    Opening,
    /// It loads the log.
    Loading,
    /// It appends the row of this sequence.
    Appending(u64),
    /// It clears the log.
    Clearing,
    /// It closes the store.
    Closing,
    /// It does or undoes a task.
    Acting(Direction, SmolStr),
}

impl Activity {
    /// The action of the task to which the context belongs.
    pub(crate) fn of(ctx: &Ctx) -> Self {
        Self::Acting(ctx.direction(), ctx.task().into())
    }

    /// Whether it is the action of a task.
    pub(crate) fn is_acting(&self) -> bool {
        matches!(self, Self::Acting(..))
    }

    /// The action, and the sequence of the row that it appends.
    pub(crate) fn operation(&self) -> (SmolStr, Option<u64>) {
        match self {
            Self::Appending(sequence) => (APPEND.into(), Some(*sequence)),
            other => (format_smolstr!("{other}"), None),
        }
    }
}

impl fmt::Display for Activity {
    /// `append#3`, `charge`, `undo charge`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning => f.write_str("begin"),
            Self::Opening => f.write_str("open"),
            Self::Loading => f.write_str("load"),
            Self::Appending(sequence) => write!(f, "{APPEND}#{sequence}"),
            Self::Clearing => f.write_str("clear"),
            Self::Closing => f.write_str("close"),
            Self::Acting(Direction::Do, task) => f.write_str(task),
            Self::Acting(Direction::Undo, task) => write!(f, "undo {task}"),
        }
    }
}
