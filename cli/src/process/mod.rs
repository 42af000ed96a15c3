//! The process of the command: number of threads, memory, Ctrl-C, progress on the terminal.

pub(crate) mod interrupt;
pub mod memory;
pub(crate) mod progress;

use std::num::NonZeroUsize;

use crashpoint_simulator::Pool;

/// The number of threads: as requested, or one per core.
pub(crate) fn pool(requested: Option<NonZeroUsize>) -> Pool {
    requested.map_or_else(Pool::of_all_cores, Pool::new)
}
