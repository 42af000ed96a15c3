//! Differential testing: random operations, performed on a store and on a naive model.
//!
//! The laws check the contract clause by clause. A store can keep each clause and still break when
//! three runs, a rejection and a clear meet. Here proptest draws cases, each a list of operations, and
//! shrinks a case whose answers differ from the model's. This needs the feature `differential`:
//!
//! ```
//! # use crashpoint_conformance::{BoxError, Harness, Place};
//! # use crashpoint::MemoryCheckpointStore;
//! # struct Mine;
//! # impl Harness for Mine {
//! #     type Store = MemoryCheckpointStore;
//! #     async fn open(_: &Place) -> Result<Self::Store, BoxError> { Ok(MemoryCheckpointStore::new()) }
//! # }
//! use crashpoint_conformance::differential::Differential;
//!
//! // In a `#[test]` of yours; with `claims: [reopen]`, `.claims([claim::reopen])`.
//! Differential::new().check::<Mine>();
//! ```
//!
//! A failure names the seed and the number of the case, lists the smallest operations found with
//! each answer, and ends with a test to paste, which [replays](Operations::replay) them.
//!
//! Operations run one after another: the laws of concurrency try races, and the laws of durability
//! try crashes. An operation that panics, or takes longer than
//! [`operation_max`](crate::Options::operation_max), counts as a different answer.

mod draw;
mod found;
mod model;
mod operations;
mod play;
mod search;
mod shrink;

pub use crashpoint::RowKind;

pub use self::found::{Counted, Ended, Found};
pub use self::operations::{
    Operation, Operations, append, clear, load, plain, reopen, row, rows_from,
};
pub use self::search::Differential;
