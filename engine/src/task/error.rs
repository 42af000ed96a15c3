//! Failures of tasks.

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A task's failure. The `?` operator turns any error into [`Retry`](Self::Retry).
///
/// ```
/// use crashpoint::TaskError;
///
/// fn parse(text: &str) -> Result<u32, TaskError> {
///     if text.is_empty() {
///         return Err(TaskError::fatal("nothing to parse"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert!(matches!(parse("x"), Err(TaskError::Retry(_))));
/// assert!(matches!(parse(""), Err(TaskError::Fatal(_))));
/// ```
#[derive(Debug)]
pub enum TaskError {
    /// Another attempt may help.
    Retry(BoxError),
    /// No further attempt will help.
    Fatal(BoxError),
}

impl TaskError {
    /// A failure after which another attempt may succeed.
    pub fn retry(error: impl Into<BoxError>) -> Self {
        Self::Retry(error.into())
    }

    /// A failure that no further attempt changes.
    pub fn fatal(error: impl Into<BoxError>) -> Self {
        Self::Fatal(error.into())
    }

    /// A value can't be written as JSON, or not read back from it.
    pub(crate) fn unserializable(message: String) -> Self {
        Self::fatal(Unserializable(message))
    }

    /// The error with everything that caused it, from the outside in.
    pub(crate) fn message(&self) -> String {
        let (Self::Retry(error) | Self::Fatal(error)) = self;
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            message.push_str(": ");
            message.push_str(&error.to_string());
            source = error.source();
        }
        message
    }
}

/// A value that can't be written as JSON, or not read back from it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unserializable(String);

impl<E: std::error::Error + Send + Sync + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}
