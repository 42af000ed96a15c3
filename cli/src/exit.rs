//! Exit codes: each kind of finding has its own.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crashpoint::{StoreError, StoreErrorKind};
use crashpoint_simulator::ReplayError;
use crashpoint_simulator::oracle::{self, Kind};
use crashpoint_simulator::render::escaped_full;

/// The kinds of exit, least severe first. Of several findings the most severe decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// No violation was found.
    Clean,
    /// Ctrl-C stopped the work before it was complete. No violation was found until then, which says
    /// less than [`Clean`](Self::Clean).
    Interrupted,
    /// A run did not finish although nothing failed.
    Liveness,
    /// Something happened that must never happen, or the file of a store is damaged or can't be read.
    Safety,
    /// The command was called incorrectly.
    Usage,
    /// A schedule ran differently the second time.
    Nondeterminism,
    /// The command did not do its work: the results are incomplete, the output could not be written,
    /// or it has a bug.
    Harness,
}

impl Exit {
    /// Every kind, by code.
    pub const ALL: [Self; 7] = [
        Self::Clean,
        Self::Safety,
        Self::Usage,
        Self::Liveness,
        Self::Nondeterminism,
        Self::Harness,
        Self::Interrupted,
    ];

    /// What the code means, for the help texts and the README.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Clean => "no violation",
            Self::Safety => {
                "safety violation: something happened that must never happen, a store broke a law, or \
                 the file of a store is damaged or can't be read"
            }
            Self::Usage => "usage error: the command was called incorrectly",
            Self::Liveness => "liveness violation: a run did not finish although nothing failed",
            Self::Nondeterminism => "nondeterminism: a schedule ran differently the second time",
            Self::Harness => {
                "internal error or incomplete results: a crash point was missed, a law did not run, a \
                 file could not be read or written, or the command has a bug"
            }
            Self::Interrupted => "interrupted by Ctrl-C, with no violation until then",
        }
    }

    /// The code for the operating system. As shells do, Ctrl-C gives 128 plus the signal's number.
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

    /// The exit for violations that the oracles of these names found.
    pub fn of_oracles<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let exits =
            names
                .into_iter()
                .map(|name| match oracle::named(name).map(|oracle| oracle.kind) {
                    Some(Kind::Liveness) => Self::Liveness,
                    Some(Kind::Safety) | None => Self::Safety,
                });
        exits.max().unwrap_or(Self::Clean)
    }

    /// The exit for the file of a store that can't be opened. A path without a readable file and a
    /// store that a process has open are usage errors. Everything else is a finding about the file,
    /// and so is a disk that can't read it.
    pub fn of_unopened(error: &StoreError) -> Self {
        let is_usage = error.kind() == StoreErrorKind::Unavailable
            && match error.source() {
                // The store is open already: the engine says so, without an error of the system's.
                None => true,
                Some(source) => io_error(source).is_some_and(is_about_the_path),
            };
        if is_usage { Self::Usage } else { Self::Safety }
    }
}

fn is_about_the_path(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename
            // Not a regular file, or a path with a NUL.
            | ErrorKind::InvalidInput
    )
}

/// The system's error, as it is or as the database wraps it.
fn io_error<'a>(source: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    match source.downcast_ref() {
        Some(redb::Error::Io(error)) => Some(error),
        _ => source.downcast_ref(),
    }
}

/// Why the command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Usage(String),
    /// The file of a store is damaged, has a newer format, is not a store, or its disk fails.
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
        // It quotes labels of a tape, which may have line breaks.
        Self::Nondeterminism(escaped_full(&error.to_string()))
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
