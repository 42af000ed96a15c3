//! How the command ends: each kind of finding has a code of its own.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crashpoint::{StoreError, StoreErrorKind};
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
    /// Something happened that never may, or the file of a store is not whole or can't be read.
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

    /// What it amounts to that the file of a store can't be opened. A path that leads to no file that
    /// we may read, and a store that is open in a process, are matters of the call; whatever else is
    /// wrong is wrong with the file, a disk that can't read it included.
    pub fn of_unopened(error: &StoreError) -> Self {
        let is_of_the_call = error.kind() == StoreErrorKind::Unavailable
            && match error.source() {
                // It is open already: the engine's own words, no error of the system's.
                None => true,
                Some(source) => io_error(source).is_some_and(is_of_the_path),
            };
        if is_of_the_call {
            Self::Usage
        } else {
            Self::Safety
        }
    }
}

fn is_of_the_path(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename
    )
}

/// The system's error, as it is or as the database wraps it.
fn io_error<'a>(source: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    match source.downcast_ref() {
        Some(redb::Error::Io(error)) => Some(error),
        _ => source.downcast_ref(),
    }
}

/// Why the command could not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    Usage(String),
    /// The file of a store is damaged, of a newer format, something else, or on a disk that fails.
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
