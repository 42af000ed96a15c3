//! A recorded simulation, as a token or a file, and its replay.

use std::io;
use std::path::Path;

use crate::choices::Recorded;
use crate::record::{
    BadFile, BadTape, BadToken, Draws, Judged, Simulated, Source, TapeFile, Token, run_seed,
};
use crate::sim::{Run, Settings, Workload};

/// A recorded simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recording {
    /// As a token.
    Token(Token),
    /// As a tape file.
    Tape(TapeFile),
}

impl From<Token> for Recording {
    fn from(token: Token) -> Self {
        Self::Token(token)
    }
}

impl From<TapeFile> for Recording {
    fn from(tape: TapeFile) -> Self {
        Self::Tape(tape)
    }
}

impl Recording {
    /// Reads a token, or the tape file with this name.
    ///
    /// # Errors
    ///
    /// If the text is neither a token nor the name of a file, if the file is not a regular file within
    /// [`TapeFile::LIMITS`], if the version is unknown, or if the file is damaged.
    pub fn read(token_or_file: &str) -> Result<Self, BadRecording> {
        let bad_token = match token_or_file.parse::<Token>() {
            Ok(token) => return Ok(Self::Token(token)),
            Err(bad) => bad,
        };
        let file = || token_or_file.to_owned();
        match TapeFile::LIMITS.read(Path::new(token_or_file)) {
            Ok(bytes) => {
                let tape = TapeFile::from_bytes(&bytes);
                let damaged = |error| BadRecording::Tape {
                    file: file(),
                    error,
                };
                tape.map(Self::Tape).map_err(damaged)
            }
            Err(BadFile::Io(error)) if is_no_name_of_a_file(error.kind()) => Err(bad_token.into()),
            Err(error) => Err(BadRecording::File {
                file: file(),
                error: error.to_string(),
            }),
        }
    }

    /// The name of the workload.
    pub fn workload(&self) -> &str {
        match self {
            Self::Token(token) => &token.workload,
            Self::Tape(tape) => &tape.workload,
        }
    }

    /// The settings of the simulation. For the seed of a swarm they allow more than it drew.
    pub fn settings(&self) -> Settings {
        let (store, budget) = match self {
            Self::Token(token) => (token.store, token.budget),
            Self::Tape(tape) => (tape.store, tape.budget),
        };
        Settings {
            store,
            ..Settings::within(budget)
        }
    }

    /// Runs it again. Also returns the settings within which its tape is a recording by itself.
    pub(crate) fn run<S: Simulated>(
        &self,
        source: &S,
    ) -> Result<(S::Trial, Settings), ReplayError> {
        self.run_within(source, self.settings())
    }

    /// The same within settings of the same store and budget.
    pub(crate) fn run_within<S: Simulated>(
        &self,
        source: &S,
        settings: Settings,
    ) -> Result<(S::Trial, Settings), ReplayError> {
        let recorded = match self {
            Self::Tape(file) => Recorded::new(file.tape.clone()),
            Self::Token(token) => match &token.draws {
                Draws::Listed(listed) => Recorded::sparse(listed.clone()),
                Draws::Seed { seed, possible } => {
                    let (trial, drawn) = run_seed(source, &settings, *possible, *seed);
                    return self.is_recorded(trial).map(|trial| (trial, drawn));
                }
            },
        };
        let (trial, recorded) = source.run(&settings, recorded);
        recorded
            .finish()
            .map_err(|mismatch| ReplayError(mismatch.to_string()))?;
        self.is_recorded(trial).map(|trial| (trial, settings))
    }

    fn is_recorded<T: Judged>(&self, trial: T) -> Result<T, ReplayError> {
        let fingerprint = match self {
            Self::Token(token) => token.fingerprint,
            Self::Tape(file) => file.tape.fingerprint(),
        };
        if trial.tape().fingerprint() == fingerprint {
            Ok(trial)
        } else {
            let other = "the replay differs from the recorded schedule";
            Err(ReplayError(other.to_owned()))
        }
    }
}

/// Whether nothing has this name, or nothing can: it is longer than any name, or contains a NUL.
fn is_no_name_of_a_file(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput
    )
}

/// Why a text names no recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRecording {
    /// It is neither a token nor the name of a file.
    #[error(transparent)]
    Token(#[from] BadToken),
    /// The file cannot be read.
    #[error("cannot read {file:?}: {error}")]
    File {
        /// The name of the file.
        file: String,
        /// The reason.
        error: String,
    },
    /// The file is not a valid tape.
    #[error("{file:?}, {error}")]
    Tape {
        /// The name of the file.
        file: String,
        /// What is wrong in it.
        error: BadTape,
    },
}

/// Runs the schedule of a token.
///
/// # Errors
///
/// If the schedule differs from the recorded schedule, because the workload or the engine has
/// changed since.
pub fn replay(workload: &Workload, token: &Token) -> Result<Run, ReplayError> {
    let recording = Recording::Token(token.clone());
    let (trial, _) = recording.run(&Source::Fixed(workload))?;
    Ok(trial.run)
}

/// Runs a recorded simulation again, of a workload or of operations.
///
/// # Errors
///
/// As [`replay`].
pub fn replay_recording<S: Simulated>(
    source: S,
    recording: &Recording,
) -> Result<S::Trial, ReplayError> {
    recording.run(&source).map(|(trial, _)| trial)
}

/// The replayed schedule differs from the recorded schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; the workload or the engine has changed since it was recorded")]
pub struct ReplayError(String);
