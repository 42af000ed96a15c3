//! A row as a field and a value of its run's hash.

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

/// The field of a sequence. Fields order as their sequences do.
pub(crate) fn field(sequence: u64) -> String {
    format!("{sequence:016x}")
}

/// The value of a row.
pub(crate) fn encoded(row: &CheckpointRow) -> Result<Vec<u8>, Error> {
    let encoded = postcard::to_stdvec(row);
    encoded.map_err(|error| Error::unavailable(format!("a row can't be encoded: {error}")))
}

/// The row of a field and its value. `what` names the operation in an error.
pub(crate) fn decoded(
    field_found: &str,
    value: &[u8],
    what: impl Fn() -> String,
) -> Result<CheckpointRow, Error> {
    let damaged = |reason: String| {
        let message = format!("{}: the value of field {field_found}: {reason}", what());
        StoreError::new(StoreErrorKind::Damaged, message)
    };
    let row: CheckpointRow =
        postcard::from_bytes(value).map_err(|error| damaged(error.to_string()))?;
    if field(row.sequence) != field_found {
        return Err(damaged(format!("it has sequence {}", row.sequence)).into());
    }
    Ok(row)
}
