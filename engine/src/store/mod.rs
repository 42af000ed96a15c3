//! The stores that come with the engine.

mod memory;

pub use memory::MemoryCheckpointStore;
