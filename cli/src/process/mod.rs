//! The process of the command: number of threads, memory, Ctrl-C, progress on the terminal.

pub(crate) mod interrupt;
pub mod memory;
pub(crate) mod progress;

use std::num::NonZeroUsize;
use std::thread;

/// The number of threads: as requested, or one per core.
pub(crate) fn jobs(requested: Option<NonZeroUsize>) -> usize {
    let jobs = requested.or_else(|| thread::available_parallelism().ok());
    jobs.map_or(1, NonZeroUsize::get)
}
