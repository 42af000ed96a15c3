//! Adapters for stores that implement the `CheckpointStore` of the reference crate `cano`: a module for
//! each release with a different contract.
//!
//! ```no_run
//! # #[cfg(feature = "cano-0-15")]
//! # mod certificate {
//! use crashpoint_conformance::cano::v0_15::Adapted;
//! use crashpoint_conformance::{BoxError, Harness, Place};
//! # struct TheirStore;
//! # impl TheirStore { fn open(_: &std::path::Path) -> Result<Self, BoxError> { Ok(Self) } }
//! # #[cano_0_15::checkpoint_store]
//! # impl cano_0_15::CheckpointStore for TheirStore {
//! #     async fn append(&self, _: &str, _: cano_0_15::CheckpointRow) -> Result<(), cano_0_15::CanoError> { Ok(()) }
//! #     async fn load_run(&self, _: &str) -> Result<Vec<cano_0_15::CheckpointRow>, cano_0_15::CanoError> { Ok(vec![]) }
//! #     async fn clear(&self, _: &str) -> Result<(), cano_0_15::CanoError> { Ok(()) }
//! # }
//!
//! struct Theirs;
//!
//! impl Harness for Theirs {
//!     type Store = Adapted<TheirStore>;
//!
//!     async fn open(place: &Place) -> Result<Self::Store, BoxError> {
//!         Ok(Adapted(TheirStore::open(place.path())?))
//!     }
//! }
//!
//! crashpoint_conformance::certify! {
//!     harness: Theirs,
//!     claims: [reopen],
//!     lacks: [engine_kinds],
//! }
//! # }
//! ```
//!
//! # What an adapter does
//!
//! It calls the store when it is called, polls the store's future when it is polled, and drops it when it
//! is dropped. So early work, a panic or a blocked thread of the store shows.
//!
//! - It copies rows field by field, both ways. It rejects a kind that the reference crate does not have
//!   before it calls the store, as "nothing written": the suite says `lacks: [engine_kinds]`.
//! - A load fails if it meets a row that can't be represented here: an unknown kind, or a
//!   `workflow_version` other than the appended 0.
//! - An error keeps its message and its category, and is the source of the returned error. The reference
//!   crate has no type for a conflict, so the adapter returns none. The laws of concurrency then assume
//!   that a rejected append may have taken effect, which forgives more, and ERR-06 reports it.

use std::error::Error as _;
use std::fmt;

use crashpoint::{BoxError, Error, RowKind, StoreError, StoreErrorKind};

#[cfg(feature = "cano-0-12")]
pub mod v0_12;
#[cfg(feature = "cano-0-15")]
pub mod v0_15;

/// An error of the reference crate, with its category.
#[derive(Debug)]
struct Theirs {
    category: &'static str,
    error: BoxError,
}

impl fmt::Display for Theirs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Theirs {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.error)
    }
}

/// The category of the error of a store behind an adapter.
pub(crate) fn category(error: &Error) -> Option<&'static str> {
    let source = error.store_error()?.source()?;
    let theirs = source.downcast_ref::<Theirs>();
    theirs.map(|theirs| theirs.category)
}

fn passed_on(category: &'static str, error: impl Into<BoxError>) -> Error {
    let error = error.into();
    let failed = StoreError::new(StoreErrorKind::Other, error.to_string());
    failed.with_source(Theirs { category, error }).into()
}

/// The rejection of a row whose kind the reference crate does not have.
fn without_a_kind(kind: RowKind) -> Error {
    Error::unavailable(format!(
        "the reference crate has no kind of rows for {kind}"
    ))
}

/// The error for a loaded row that nobody can have appended through the adapter.
fn foreign(sequence: u64, what: &dyn fmt::Display) -> Error {
    let message =
        format!("row at sequence {sequence} came back with {what}, which was not appended");
    StoreError::new(StoreErrorKind::Damaged, message).into()
}

/// The adapter of one release, in its own module. `$beyond` describes what a loaded row has beyond our
/// rows, if anything.
macro_rules! adapter {
    ($cano:ident, $beyond:expr) => {
        use std::future::Future;
        use std::pin::Pin;

        use crashpoint::{CheckpointRow, CheckpointStore, Error, RowKind};
        use $cano::recovery as theirs;

        use super::{foreign, passed_on, without_a_kind};

        type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

        /// A store of the reference crate, as a store of this engine.
        #[derive(Debug, Clone)]
        pub struct Adapted<S>(
            /// The store.
            pub S,
        );

        // Not `async`, so that the store is called when this is called and not when it is first polled.
        impl<S: theirs::CheckpointStore> CheckpointStore for Adapted<S> {
            fn append<'life0, 'life1, 'async_trait>(
                &'life0 self,
                workflow_id: &'life1 str,
                row: CheckpointRow,
            ) -> Answer<'async_trait, ()>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                match to_theirs(row) {
                    Ok(row) => {
                        let appending = self.0.append(workflow_id, row);
                        Box::pin(async move { appending.await.map_err(error) })
                    }
                    Err(refused) => Box::pin(std::future::ready(Err(refused))),
                }
            }

            fn load_run<'life0, 'life1, 'async_trait>(
                &'life0 self,
                workflow_id: &'life1 str,
            ) -> Answer<'async_trait, Vec<CheckpointRow>>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                let loading = self.0.load_run(workflow_id);
                Box::pin(async move {
                    let rows = loading.await.map_err(error)?;
                    rows.into_iter().map(from_theirs).collect()
                })
            }

            fn clear<'life0, 'life1, 'async_trait>(
                &'life0 self,
                workflow_id: &'life1 str,
            ) -> Answer<'async_trait, ()>
            where
                'life0: 'async_trait,
                'life1: 'async_trait,
                Self: 'async_trait,
            {
                let clearing = self.0.clear(workflow_id);
                Box::pin(async move { clearing.await.map_err(error) })
            }
        }

        fn error(error: $cano::CanoError) -> Error {
            passed_on(error.category(), error)
        }

        fn to_theirs(row: CheckpointRow) -> Result<theirs::CheckpointRow, Error> {
            let kind = match row.kind {
                RowKind::StateEntry => theirs::RowKind::StateEntry,
                RowKind::CompensationCompletion => theirs::RowKind::CompensationCompletion,
                RowKind::StepCursor => theirs::RowKind::StepCursor,
                other => return Err(without_a_kind(other)),
            };
            let mut same = theirs::CheckpointRow::new(row.sequence, row.state, row.task_id);
            same.output_blob = row.output_blob;
            same.kind = kind;
            Ok(same)
        }

        fn from_theirs(row: theirs::CheckpointRow) -> Result<CheckpointRow, Error> {
            let beyond: fn(&theirs::CheckpointRow) -> Option<String> = $beyond;
            if let Some(beyond) = beyond(&row) {
                return Err(foreign(row.sequence, &beyond));
            }
            let kind = match row.kind {
                theirs::RowKind::StateEntry => RowKind::StateEntry,
                theirs::RowKind::CompensationCompletion => RowKind::CompensationCompletion,
                theirs::RowKind::StepCursor => RowKind::StepCursor,
                other => return Err(foreign(row.sequence, &format!("the kind {other:?}"))),
            };
            let mut same = CheckpointRow::new(row.sequence, row.state, row.task_id);
            same.output_blob = row.output_blob;
            same.kind = kind;
            Ok(same)
        }
    };
}

use adapter;
