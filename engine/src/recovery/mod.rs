//! The contract between the engine and whatever keeps its log.
//!
//! A run is a sequence of [`CheckpointRow`]s under one `workflow_id`; a [`CheckpointStore`] appends
//! them, loads them and clears them, and does nothing else. The names and the contract follow the
//! module `recovery` of the crate `cano` (0.12.0), so that a store written for it needs little more
//! than another `use` line. That is also the reason why this module is public although its names
//! stand at the crate's root.

mod row;
mod store;

pub use row::{CheckpointRow, RowKind, UnknownRowKind};
pub use store::{CheckpointStore, ListRuns};
