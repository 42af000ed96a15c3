//! The operations, as data.

use std::fmt;

use crate::operations::fleet::{DONE, MIXED, NEW, OPEN, STUCK};

/// An operation of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// [`Recovery::resume_all`](crashpoint::Recovery::resume_all), with one of the two workflows in the store.
    Recover,
    /// [`Engine::purge`](crashpoint::Engine::purge) of the runs of earlier processes.
    Purge,
    /// [`Engine::unfinished`](crashpoint::Engine::unfinished).
    Unfinished,
    /// [`Engine::status`](crashpoint::Engine::status) of this run.
    Status(&'static str),
    /// [`Engine::run_or_resume`](crashpoint::Engine::run_or_resume) of this run.
    RunOrResume(&'static str),
    /// The same by an engine that clears the log of a run that is done.
    RunAndClear(&'static str),
    /// [`Engine::retry_stuck`](crashpoint::Engine::retry_stuck) of this run.
    RetryStuck(&'static str),
}

/// The operations that are drawn.
pub const OPERATIONS: &[Operation] = &[
    Operation::Recover,
    Operation::Purge,
    Operation::Unfinished,
    Operation::Status(OPEN),
    Operation::Status(STUCK),
    Operation::RunOrResume(OPEN),
    Operation::RunOrResume(DONE),
    Operation::RunOrResume(NEW),
    Operation::RunOrResume(MIXED),
    Operation::RunAndClear(OPEN),
    Operation::RetryStuck(STUCK),
];

/// The three operations at a time that are exhausted. Of two purges, the slower finds a run that was
/// begun again.
pub(crate) const THREE: &[[Operation; 3]] = &[[
    Operation::Purge,
    Operation::Purge,
    Operation::RunOrResume(DONE),
]];

impl Operation {
    /// The run of an operation on one run.
    pub fn run(self) -> Option<&'static str> {
        match self {
            Self::Recover | Self::Purge | Self::Unfinished => None,
            Self::Status(id)
            | Self::RunOrResume(id)
            | Self::RunAndClear(id)
            | Self::RetryStuck(id) => Some(id),
        }
    }

    /// Its stable name in schedules: `status=open`.
    pub fn name(self) -> String {
        let kind = match self {
            Self::Recover => "resume-all",
            Self::Purge => "purge",
            Self::Unfinished => "unfinished",
            Self::Status(_) => "status",
            Self::RunOrResume(_) => "run-or-resume",
            Self::RunAndClear(_) => "run-and-clear",
            Self::RetryStuck(_) => "retry-stuck",
        };
        match self.run() {
            None => kind.to_owned(),
            Some(id) => format!("{kind}={id}"),
        }
    }

    /// The operation with this name, among those that are drawn.
    pub fn named(name: &str) -> Option<Self> {
        let mut operations = OPERATIONS.iter().copied();
        operations.find(|operation| operation.name() == name)
    }

    /// The run that has a life during the operation.
    pub(super) fn lives(self) -> Option<&'static str> {
        match self {
            Self::Recover | Self::Purge | Self::Unfinished | Self::Status(_) => None,
            Self::RunOrResume(id) | Self::RunAndClear(id) | Self::RetryStuck(id) => Some(id),
        }
    }

    /// Whether two operations can meet in a run: one of them is about all runs, or both are about the same.
    pub(crate) fn meets(self, other: Self) -> bool {
        self.run().is_none() || other.run().is_none() || self.run() == other.run()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recover => f.write_str("resume_all"),
            Self::Purge => f.write_str("purge"),
            Self::Status(id) => write!(f, "status of {id}"),
            Self::Unfinished => f.write_str("unfinished"),
            Self::RunOrResume(id) => write!(f, "run_or_resume of {id}"),
            Self::RunAndClear(id) => write!(f, "run_or_resume of {id}, cleared when done"),
            Self::RetryStuck(id) => write!(f, "retry_stuck of {id}"),
        }
    }
}
