//! Errors and panics of redb, as errors of a store.

use std::io::ErrorKind;

use crate::error::StoreErrorKind;
use crate::foreign::contain::text_of;

/// The kind of an error of redb, for an operation that committed nothing.
pub(super) fn kind_of(error: &redb::Error) -> StoreErrorKind {
    match error {
        redb::Error::Corrupted(_) => StoreErrorKind::Damaged,
        // redb's error for a foreign file, and the system's error for a truncated file.
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            ) =>
        {
            StoreErrorKind::Damaged
        }
        redb::Error::UpgradeRequired(_) => StoreErrorKind::Other,
        _ => StoreErrorKind::Unavailable,
    }
}

/// The message of a panic.
pub(super) fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    text_of(panic).unwrap_or("redb panicked").to_owned()
}
