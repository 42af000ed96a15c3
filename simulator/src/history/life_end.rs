//! How a life ended.

use std::fmt;

/// How a life ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LifeEnd {
    /// The run is done, in this exit state.
    Done(String),
    /// The run went back.
    RolledBack,
    /// The run went back and left these tasks' effects behind.
    Stuck(Vec<String>),
    /// The id had a log already.
    AlreadyExists,
    /// Another life of this process's scope is under way.
    AlreadyRunning,
    /// The id has no log.
    NotFound,
    /// The run isn't stuck.
    NotStuck,
    /// Another life has taken over.
    Fenced,
    /// The store failed.
    Suspended,
    /// The log does not fit, or is corrupt: nothing was run.
    Refused(String),
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
