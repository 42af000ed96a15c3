//! The stores that come with the engine.

mod memory;
#[cfg(feature = "redb")]
mod redb;

pub use memory::MemoryCheckpointStore;
#[cfg(feature = "redb")]
pub use redb::{
    Directory, Disk, OpenCheck, RedbCheckpointStore, RedbOptions, RedbReader, row_format,
};
