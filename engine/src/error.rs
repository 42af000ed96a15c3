//! Errors of runs and stores. Each names its input and its bound, if it has one. Messages are bounded:
//! a long id or label is cut in them, and whole in the fields.
//!
//! An [`Error`] means that the run **has not ended**: nothing here is a business outcome. Those are
//! in [`Outcome`](crate::Outcome).

use std::fmt;
use std::sync::Arc;

use crate::core::{LogFault, Mismatch};
use crate::foreign::{bounded, bounded_message, quoted};

/// Why an operation of the engine or of a store failed.
///
/// An error of [`Engine::run`](crate::Engine::run) and its siblings says that the run has not ended,
/// or never began. The log is whole. The run can be resumed unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The checkpoint store refused or failed.
    #[error("checkpoint store: {0}")]
    CheckpointStore(#[from] StoreError),

    /// The id already has a log. Resume it, or choose another id.
    #[error("run {} already exists", quoted(.workflow_id))]
    AlreadyExists {
        /// The id of the run.
        workflow_id: String,
    },

    /// Another life of the run is active in this process. At least one of the two would clear the log,
    /// or a [`Recovery`](crate::Recovery) found the run.
    #[error("run {} is already running in this process", quoted(.workflow_id))]
    AlreadyRunning {
        /// The id of the run.
        workflow_id: String,
    },

    /// The id has no log.
    #[error("run {} is not in the store", quoted(.workflow_id))]
    NotFound {
        /// The id.
        workflow_id: String,
    },

    /// Another life has taken the run over. This life has stopped; it compensated and cleared
    /// nothing. Call [`Engine::status`](crate::Engine::status) before you resume again: two callers
    /// that always resume can take the run from each other forever.
    #[error("run {} was taken over by another life", quoted(.workflow_id))]
    Fenced {
        /// The id of the run.
        workflow_id: String,
    },

    /// The store failed, so the run stopped where its log ends. It can be resumed, and nothing was
    /// compensated.
    #[error("run {} is suspended{}: {source}", quoted(.workflow_id), in_doubt_suffix(*.in_doubt))]
    Suspended {
        /// The id of the run.
        workflow_id: String,
        /// The sequence of an append of unknown outcome: the row may be durable, or not.
        in_doubt: Option<u64>,
        /// The store's last error.
        source: StoreError,
    },

    /// The log does not fit the definition. Nothing was run and nothing was claimed.
    #[error("run {} does not fit its workflow: {source}", quoted(.workflow_id))]
    Mismatch {
        /// The id of the run.
        workflow_id: String,
        /// What does not fit.
        source: Mismatch,
    },

    /// The log is corrupt. Nothing was run, claimed, cleared or overwritten.
    #[error("log of run {} is corrupt at sequence {sequence}: {source}", quoted(.workflow_id))]
    CorruptLog {
        /// The id of the run.
        workflow_id: String,
        /// The sequence of the first invalid row.
        sequence: u64,
        /// The fault.
        source: LogFault,
    },

    /// A run can't begin in this state.
    #[error("run {} can't start at state {}: {reason}", quoted(.workflow_id), quoted(.state))]
    InvalidStart {
        /// The id of the run.
        workflow_id: String,
        /// The label of the state.
        state: String,
        /// The reason.
        reason: &'static str,
    },

    /// [`Engine::retry_stuck`](crate::Engine::retry_stuck) was called for a run that is not stuck.
    #[error("run {} is not stuck", quoted(.workflow_id))]
    NotStuck {
        /// The id of the run.
        workflow_id: String,
    },

    /// The input can't be serialized.
    #[error("input of run {} can't be serialized: {}", quoted(.workflow_id), bounded(.source))]
    Input {
        /// The id of the run.
        workflow_id: String,
        /// The serializer's error.
        source: serde_json::Error,
    },

    /// [`Retention::ClearWhenDone`](crate::Retention) needs a store with an exclusive scope.
    #[error("logs can be cleared only in a store that declares an exclusive scope")]
    NotExclusive,

    /// The operation needs a listing of runs, and the store has none.
    #[error("the store can't list its runs")]
    NoListing,

    /// A [`Recovery`](crate::Recovery) does not know the workflow of the run.
    #[error("run {} belongs to workflow {}, which was not given", quoted(.workflow_id), quoted(.workflow))]
    UnknownWorkflow {
        /// The id of the run.
        workflow_id: String,
        /// The name in its log.
        workflow: String,
    },

    /// Code that is not the engine's panicked outside of a task: of the store, of the runtime, or of a
    /// [`State`](crate::State). The panic ended this life and nothing else; for the run it was a crash.
    /// A panic of a task is a failure of the task instead.
    #[error("run {}: code outside of its tasks panicked: {}", quoted(.workflow_id), bounded(.message))]
    Panicked {
        /// The id of the run.
        workflow_id: String,
        /// The words of the panic.
        message: String,
    },

    /// A [`Recovery`](crate::Recovery) got two workflows of the same name.
    #[error("two workflows have the name {}", quoted(.workflow))]
    DuplicateWorkflow {
        /// The name.
        workflow: String,
    },
}

impl Error {
    /// A failure of a checkpoint store that says nothing about the row: it may be durable, or not.
    ///
    /// ```
    /// let error = crashpoint::Error::checkpoint_store("disk on fire");
    /// assert_eq!(error.category(), "checkpoint_store");
    /// assert_eq!(error.to_string(), "checkpoint store: disk on fire");
    /// ```
    pub fn checkpoint_store(message: impl Into<String>) -> Self {
        StoreError::new(StoreErrorKind::Other, message).into()
    }

    /// The rejection of an append whose sequence is taken.
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
        let id = quoted(workflow_id);
        let message = format!("run {id} already has sequence {sequence}");
        StoreError::new(StoreErrorKind::Conflict, message).into()
    }

    /// A failure that wrote nothing, such as a store that can not be reached.
    pub fn unavailable(message: impl Into<String>) -> Self {
        StoreError::new(StoreErrorKind::Unavailable, message).into()
    }

    /// A failure of an operation that may have taken effect.
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
            Self::Panicked { .. } => "panicked",
            Self::DuplicateWorkflow { .. } => "duplicate_workflow",
        }
    }

    /// The store's own failure inside this error, if there is one.
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

/// The failure of an operation of a checkpoint store.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bounded_message(&self.message))
    }
}

/// Equal kinds and equal messages; the causes are not compared.
impl PartialEq for StoreError {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message) == (other.kind, &other.message)
    }
}

impl Eq for StoreError {}

impl std::error::Error for StoreError {
    /// The cause itself, so that it can be downcast. A derived implementation would return the
    /// `Arc` around it.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

/// The outcome of the failed operation of a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The sequence is taken; its row is unchanged.
    Conflict,
    /// Nothing was written.
    Unavailable,
    /// The operation may have taken effect.
    UnknownOutcome,
    /// A fork made this process, and its parent opened the store. Nothing was written. Another try
    /// does not help: open a store after the fork.
    OtherProcess,
    /// The stored data is damaged. Another try does not help.
    Damaged,
    /// The outcome is not known; only the message says more.
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

    /// Adds the cause, such as the backend's own error.
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
    /// // The source is still the backend's own error.
    /// assert!(source.is_some_and(|source| source.is::<std::io::Error>()));
    /// ```
    #[must_use]
    pub fn with_source(self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.with_shared_source(Arc::new(source))
    }

    /// Adds a cause that several errors share, such as those of a failed batch.
    #[must_use]
    pub(crate) fn with_shared_source(
        mut self,
        source: Arc<dyn std::error::Error + Send + Sync>,
    ) -> Self {
        self.source = Some(source);
        self
    }

    /// The kind of the failure.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<Error> for StoreError {
    /// The store's own failure inside `error`, or else its message with the kind `Other`.
    fn from(error: Error) -> Self {
        match error {
            Error::CheckpointStore(error) | Error::Suspended { source: error, .. } => error,
            other => Self::new(StoreErrorKind::Other, other.to_string()),
        }
    }
}
