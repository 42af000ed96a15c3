//! The contract between the engine and a checkpoint store.
//!
//! A run is a sequence of [`CheckpointRow`]s under one `workflow_id`. A [`CheckpointStore`] appends
//! rows, loads them and clears them. The names and the contract follow the module `recovery` of the
//! crate `cano` (0.12.0): a store written for it needs little more than another `use` line. For that
//! reason this module is public, although the crate's root has the same names.

mod store;

pub use crate::core::{CheckpointRow, RowKind, UnknownRowKind};
pub use store::{CheckpointStore, ListRuns};
