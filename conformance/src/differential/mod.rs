//! Differential testing: random histories of operations, asked of a store and of a naive model.
//!
//! The laws ask for the contract clause by clause; a store can keep each of them and break when three
//! runs, a refusal and a clear meet. Here proptest draws histories, and shrinks one whose answers
//! differ from the model's to a smallest one. It needs the feature `differential`:
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
//! A failure names the seed and the number of the history, draws the smallest history found with
//! every answer, and ends with a test to paste, which [replays](History::replay) it.
//!
//! One operation follows another: races are the business of the laws about concurrency, crashes of
//! those about durability. An operation that does not end within
//! [`operation_max`](crate::Options::operation_max), or panics, is an answer that differs.

mod draw;
mod history;
mod model;
mod play;
mod search;

pub use crashpoint::RowKind;

pub use self::history::{History, Operation, append, clear, load, plain, reopen, row, rows_from};
pub use self::search::{Counted, Differential, Ended, Found};
