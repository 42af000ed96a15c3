//! Faults in the error of a rejection.

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

use super::{Fault, Runs};

/// Faults that return another error for a rejection.
macro_rules! rejects_with {
    ($($(#[$doc:meta])* $name:ident = $reject:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name;

        impl Fault for $name {
            fn append(&self, runs: &mut Runs, id: &str, row: CheckpointRow) -> Result<(), Error> {
                let sequence = row.sequence;
                let reject: fn(&str, u64) -> Error = $reject;
                runs.append(id, row).map_err(|_| reject(id, sequence))
            }
        }
    )*};
}

rejects_with! {
    /// An error of another category.
    WrongCategory = |id, _| Error::AlreadyExists { workflow_id: id.to_owned() };
    /// Panics, since a duplicate "can't happen".
    PanicsOnDuplicate = |id, sequence| unreachable!("run {id:?} already has {sequence}");
    /// Only the message of the driver.
    AnonymousConflict = |_, _| {
        StoreError::new(StoreErrorKind::Conflict, "UNIQUE constraint failed").into()
    };
    /// A conflict that looks like any other failure.
    UntypedConflict = |id, sequence| Error::checkpoint_store(format!("{id} has {sequence}"));
}
