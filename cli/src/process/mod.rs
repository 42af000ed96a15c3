//! The process of the command: its threads, its memory, Ctrl-C, and what its terminal shows meanwhile.

pub(crate) mod interrupt;
pub mod memory;
pub(crate) mod progress;

use std::num::NonZeroUsize;
use std::thread;

/// So many threads as asked for, or one for each core.
pub(crate) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let jobs = asked.or_else(|| thread::available_parallelism().ok());
    jobs.map_or(1, NonZeroUsize::get)
}
