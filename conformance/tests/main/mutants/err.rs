//! Faults in the error of a rejection.

use std::sync::atomic::{AtomicU64, Ordering};

use crashpoint::{CheckpointRow, Error, StoreError, StoreErrorKind};

use super::{Fault, Loaded, Runs};

/// One load of some hundreds meets a time limit.
#[derive(Default)]
pub(crate) struct TimesOutAtTimes(AtomicU64);

impl Fault for TimesOutAtTimes {
    fn load(&self, runs: &mut Runs, id: &str) -> Loaded {
        let before = self.0.fetch_add(1, Ordering::SeqCst);
        // More callers than one have connections of their own.
        if runs.rows_of(id) == 3 && before % 701 == 700 {
            return Err(Error::unavailable("the statement took too long"));
        }
        Ok(runs.load(id))
    }
}

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
