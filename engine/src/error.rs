//! What can go wrong with a run, each with the input and the bound that it is about.
//!
//! An [`Error`] means that the run **has not ended**: nothing here is a business outcome. Those are
//! in [`Outcome`](crate::Outcome).

use std::fmt;
use std::sync::Arc;

use crate::core::{LogFault, Mismatch};

/// Why an operation of the engine or of a store did not succeed.
///
/// From [`Engine::run`](crate::Engine::run) and its siblings an error says that the run has not
/// ended (or never began); the log is whole, and the run can be resumed unless the variant says
/// otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The checkpoint store refused or failed.
    #[error("checkpoint store: {0}")]
    CheckpointStore(#[from] StoreError),

    /// The id already has a log: resume it, or choose another id.
    #[error("run {workflow_id:?} already exists")]
    AlreadyExists {
        /// The id that was to be run.
        workflow_id: String,
    },

    /// Another life of the id is under way in this process, and one of the two would clear the log,
    /// or a [`Recovery`](crate::Recovery) came across it.
    #[error("run {workflow_id:?} is already running in this process")]
    AlreadyRunning {
        /// The id that was to be run, resumed or purged.
        workflow_id: String,
    },

    /// The id has no log.
    #[error("run {workflow_id:?} is not in the store")]
    NotFound {
        /// The id that was looked up.
        workflow_id: String,
    },

    /// Another life has taken the run over; this one has stopped, compensated nothing and cleared
    /// nothing. Ask [`Engine::status`](crate::Engine::status) before resuming again: two callers
    /// that answer this with another resume can take the run from each other for ever.
    #[error("run {workflow_id:?} was taken over by another life")]
    Fenced {
        /// The id of the run.
        workflow_id: String,
    },

    /// The store failed, so the run stopped where its log ends. It is resumable, and nothing was
    /// compensated.
    #[error("run {workflow_id:?} is suspended{}: {source}", in_doubt_suffix(*.in_doubt))]
    Suspended {
        /// The id of the run.
        workflow_id: String,
        /// The sequence of an append that is unresolved: its row may be durable, or not.
        in_doubt: Option<u64>,
        /// What the store answered last.
        source: StoreError,
    },

    /// The log and the definition do not fit; nothing was run and nothing was claimed.
    #[error("run {workflow_id:?} does not fit its workflow: {source}")]
    Mismatch {
        /// The id of the run.
        workflow_id: String,
        /// What does not fit.
        source: Mismatch,
    },

    /// The log breaks the rules of a log; nothing was run, claimed, cleared or overwritten.
    #[error("log of run {workflow_id:?} is corrupt at sequence {sequence}: {source}")]
    CorruptLog {
        /// The id of the run.
        workflow_id: String,
        /// The sequence of the first row that can't be right.
        sequence: u64,
        /// What is wrong with it.
        source: LogFault,
    },

    /// The state can't be the first of a run.
    #[error("run {workflow_id:?} can't start at state {state:?}: {reason}")]
    InvalidStart {
        /// The id that was to be run.
        workflow_id: String,
        /// The state that was named.
        state: String,
        /// Why a run can't start there.
        reason: &'static str,
    },

    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck) was asked for a run that isn't stuck.
    #[error("run {workflow_id:?} is not stuck")]
    NotStuck {
        /// The id of the run.
        workflow_id: String,
    },

    /// The input can't be serialized.
    #[error("input of run {workflow_id:?} can't be serialized: {source}")]
    Input {
        /// The id that was to be run.
        workflow_id: String,
        /// What the serializer said.
        source: serde_json::Error,
    },

    /// Clearing finished logs was asked for with a store that no process holds exclusively.
    #[error("logs can be cleared only in a store that declares an exclusive scope")]
    NotExclusive,

    /// A store that can't list its runs was asked for all of them.
    #[error("the store can't list its runs")]
    NoListing,

    /// A [`Recovery`](crate::Recovery) was not given the workflow that the run is of.
    #[error("run {workflow_id:?} is of workflow {workflow:?}, which was not given")]
    UnknownWorkflow {
        /// The id of the run.
        workflow_id: String,
        /// The name in its log.
        workflow: String,
    },

    /// A [`Recovery`](crate::Recovery) was given two workflows under one name.
    #[error("two workflows have the name {workflow:?}")]
    DuplicateWorkflow {
        /// The name.
        workflow: String,
    },
}

impl Error {
    /// A failure of a checkpoint store that says nothing more about the row in question.
    ///
    /// ```
    /// let error = crashpoint::Error::checkpoint_store("disk on fire");
    /// assert_eq!(error.category(), "checkpoint_store");
    /// assert_eq!(error.to_string(), "checkpoint store: disk on fire");
    /// ```
    pub fn checkpoint_store(message: impl Into<String>) -> Self {
        StoreError::new(StoreErrorKind::Other, message).into()
    }

    /// The rejection of an append to a taken sequence.
    ///
    /// ```
    /// let error = crashpoint::Error::conflict("order-42", 7);
    /// assert_eq!(error.category(), "checkpoint_store");
    /// assert_eq!(
    ///     error.to_string(),
    ///     "checkpoint store: run \"order-42\" already has sequence 7",
    /// );
    /// ```
    pub fn conflict(workflow_id: &str, sequence: u64) -> Self {
        let message = format!("run {workflow_id:?} already has sequence {sequence}");
        StoreError::new(StoreErrorKind::Conflict, message).into()
    }

    /// A store that could not be reached: nothing was written.
    pub fn unavailable(message: impl Into<String>) -> Self {
        StoreError::new(StoreErrorKind::Unavailable, message).into()
    }

    /// An operation that failed although it may have taken effect.
    pub fn unknown_outcome(message: impl Into<String>) -> Self {
        StoreError::new(StoreErrorKind::UnknownOutcome, message).into()
    }

    /// A stable word for the kind of error, for metrics and logs.
    pub fn category(&self) -> &'static str {
        match self {
            Self::CheckpointStore(_) => "checkpoint_store",
            Self::AlreadyExists { .. } => "already_exists",
            Self::AlreadyRunning { .. } => "already_running",
            Self::NotFound { .. } => "not_found",
            Self::Fenced { .. } => "fenced",
            Self::Suspended { .. } => "suspended",
            Self::Mismatch { .. } => "mismatch",
            Self::CorruptLog { .. } => "corrupt_log",
            Self::InvalidStart { .. } => "invalid_start",
            Self::NotStuck { .. } => "not_stuck",
            Self::Input { .. } => "input",
            Self::NotExclusive => "not_exclusive",
            Self::NoListing => "no_listing",
            Self::UnknownWorkflow { .. } => "unknown_workflow",
            Self::DuplicateWorkflow { .. } => "duplicate_workflow",
        }
    }

    /// The store's own failure inside of this error, where there is one.
    pub fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::CheckpointStore(error) | Self::Suspended { source: error, .. } => Some(error),
            _ => None,
        }
    }
}

fn in_doubt_suffix(in_doubt: Option<u64>) -> String {
    in_doubt.map_or_else(String::new, |sequence| {
        format!(" with sequence {sequence} in doubt")
    })
}

/// What a checkpoint store answered instead of success.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {
    /// The cause as it was given, so that it can be downcast: that clones share it is not to be seen,
    /// which a derived implementation would show.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

/// What a [`StoreError`] says about the operation that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The sequence is taken; the row that stands there is unchanged.
    Conflict,
    /// Nothing was written.
    Unavailable,
    /// The operation may have taken effect.
    UnknownOutcome,
    /// What the store holds can't be read as what was written; trying again does not help.
    Damaged,
    /// The store says no more than its message.
    Other,
}

impl StoreError {
    /// A failure of the given kind.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same failure with what caused it, such as the backend's own error.
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// use crashpoint::{Error, StoreError, StoreErrorKind};
    ///
    /// let cause = std::io::Error::other("disk on fire");
    /// let failed = StoreError::new(StoreErrorKind::UnknownOutcome, "the sync failed");
    /// let error = Error::from(failed.with_source(cause));
    /// let source = error.store_error().and_then(|failed| failed.source());
    /// assert_eq!(source.map(ToString::to_string).as_deref(), Some("disk on fire"));
    /// // It is the backend's own error still.
    /// assert!(source.is_some_and(|source| source.is::<std::io::Error>()));
    /// ```
    #[must_use]
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.with_shared_source(Arc::new(source))
    }

    /// The same with a cause that others keep too, such as the answers of a batch that failed whole.
    #[must_use]
    pub(crate) fn with_shared_source(
        mut self,
        source: Arc<dyn std::error::Error + Send + Sync>,
    ) -> Self {
        self.source = Some(source);
        self
    }

    /// What the failure says about the operation.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<Error> for StoreError {
    /// What a store that answered `error` meant: its own failure, or the words of any other error.
    fn from(error: Error) -> Self {
        match error {
            Error::CheckpointStore(error) | Error::Suspended { source: error, .. } => error,
            other => Self::new(StoreErrorKind::Other, other.to_string()),
        }
    }
}
