//! How the command ends: each kind of finding has a code of its own.

use std::io;
use std::path::PathBuf;

use crashpoint_simulator::ReplayError;
use crashpoint_simulator::oracle::{self, Kind, Oracle};

/// What the exit code says, the gravest last: where several are due, that one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing was violated.
    Clean,
    /// Ctrl-C came before everything was explored, and nothing was violated until then: that is
    /// less than clean.
    Interrupted,
    /// A run did not end although nothing failed any more.
    Liveness,
    /// Something happened that never may, or the file of a store is not whole.
    Safety,
    /// The command was called wrongly.
    Usage,
    /// A schedule took another course when it was run again.
    Nondeterminism,
    /// The command did not do its work: a crash point was left out, the output could not be
    /// written, or it has a bug.
    Harness,
}

impl Exit {
    /// The code for the operating system. The shell's own for a Ctrl-C is 128 and the signal's
    /// number.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Safety => 1,
            Self::Usage => 2,
            Self::Liveness => 3,
            Self::Nondeterminism => 4,
            Self::Harness => 5,
            Self::Interrupted => 130,
        }
    }

    /// What these oracles' objections amount to.
    pub fn of_oracles<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let exits = names
            .into_iter()
            .map(|name| match oracle::named(name).map(Oracle::kind) {
                Some(Kind::Liveness) => Self::Liveness,
                Some(Kind::Safety) | None => Self::Safety,
            });
        exits.max().unwrap_or(Self::Clean)
    }
}

/// Why the command could not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    Usage(String),
    /// The file of a store is damaged, of a newer format, or something else.
    Store(String),
    Nondeterminism(String),
    Output(io::Error),
    File(PathBuf, io::Error),
    Harness(String),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Store(_) => Exit::Safety,
            Self::Nondeterminism(_) => Exit::Nondeterminism,
            Self::Output(_) | Self::File(..) | Self::Harness(_) => Exit::Harness,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        Self::Nondeterminism(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message)
            | Self::Store(message)
            | Self::Nondeterminism(message)
            | Self::Harness(message) => f.write_str(message),
            Self::Output(error) => write!(f, "can't write the output: {error}"),
            Self::File(path, error) => write!(f, "can't write {}: {error}", path.display()),
        }
    }
}
