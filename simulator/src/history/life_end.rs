//! How a life ended.

use std::fmt;

use crashpoint::Mismatch;

/// How a life ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LifeEnd {
    /// The run is done, in this exit state.
    Done(String),
    /// The run is rolled back.
    RolledBack,
    /// The run is rolled back, but the effects of these tasks remain.
    Stuck(Vec<String>),
    /// The id already had a log.
    AlreadyExists,
    /// Another life in this process's scope is still running.
    AlreadyRunning,
    /// The id has no log.
    NotFound,
    /// The run is not stuck.
    NotStuck,
    /// Another life has taken over.
    Fenced,
    /// The store failed.
    Suspended,
    /// The log does not match the definition, or is corrupt; nothing was run.
    Refused(Refusal),
}

/// Why a life was refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The log does not fit the definition.
    Mismatch(Mismatch),
    /// Anything else, such as a corrupt log, in words.
    Other(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(mismatch) => write!(f, "the log does not fit the workflow: {mismatch}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl LifeEnd {
    /// Whether the run has ended.
    pub fn is_outcome(&self) -> bool {
        matches!(self, Self::Done(_) | Self::RolledBack | Self::Stuck(_))
    }

    /// Whether the run has ended for good.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done(_) | Self::RolledBack)
    }
}

impl fmt::Display for LifeEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(state) => write!(f, "done in {state}"),
            Self::RolledBack => f.write_str("rolled back"),
            Self::Stuck(tasks) => write!(f, "stuck, left behind: {}", tasks.join(", ")),
            Self::AlreadyExists => f.write_str("the run exists already"),
            Self::AlreadyRunning => f.write_str("the run is already running"),
            Self::NotFound => f.write_str("the run is not in the store"),
            Self::NotStuck => f.write_str("the run is not stuck"),
            Self::Fenced => f.write_str("fenced"),
            Self::Suspended => f.write_str("suspended"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}
