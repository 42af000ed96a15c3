//! Errors and panics of redb, as errors of a store.

use std::io::ErrorKind;

use crate::error::StoreErrorKind;

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
    let literal = panic.downcast_ref::<&str>().map(ToString::to_string);
    let words = literal.or_else(|| panic.downcast_ref::<String>().cloned());
    words.unwrap_or_else(|| "redb panicked".to_owned())
}
