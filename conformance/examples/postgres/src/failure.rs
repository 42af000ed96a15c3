//! What is known after an operation on the server has failed.

use std::error::Error as _;
use std::time::Duration;

use crashpoint::{Error, StoreError, StoreErrorKind};
use tokio_postgres::error::Severity;

/// A failed operation.
pub(crate) enum Failure {
    /// The driver has returned this.
    Failed(tokio_postgres::Error),
    /// The server has not answered for so long.
    Silent(Duration),
}

impl Failure {
    /// The error of the operation `what`.
    pub(crate) fn of(self, what: &str) -> Error {
        match self {
            Self::Failed(error) => {
                let kind = if rolled_back(&error) {
                    StoreErrorKind::Unavailable
                } else {
                    StoreErrorKind::UnknownOutcome
                };
                let message = format!("{what}: {}", words(&error));
                StoreError::new(kind, message).with_source(error).into()
            }
            Self::Silent(time) => {
                Error::unknown_outcome(format!("{what}: no answer within {time:?}"))
            }
        }
    }
}

/// Whether the server has said that the statement failed, and goes on: the transaction is rolled back then.
/// An error that ends the session may come after the commit.
fn rolled_back(error: &tokio_postgres::Error) -> bool {
    let answer = error.as_db_error();
    answer.is_some_and(|answer| answer.parsed_severity() == Some(Severity::Error))
}

/// The driver's words and the server's.
fn words(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
