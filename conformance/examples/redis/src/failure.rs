//! What is known after a command has failed.

use crashpoint::{Error, StoreError, StoreErrorKind};
use redis::RedisError;

/// The error of the operation `what`.
pub(crate) fn of(what: &str, error: RedisError) -> Error {
    // The server's own error comes instead of the command's effect, and without a connection nothing was sent.
    let kind = if error.code().is_some() || error.is_connection_refusal() {
        StoreErrorKind::Unavailable
    } else {
        StoreErrorKind::UnknownOutcome
    };
    let message = format!("{what}: {error}");
    StoreError::new(kind, message).with_source(error).into()
}
