//! The gap between two round trips of one operation, into which another operation may come.
//!
//! A store with such a gap breaks a law only where two operations meet in it. How often they do depends
//! on the machine, so the matrix asks twice: with a narrow gap, as a backend has it, and with one that
//! is held open until the two have met, where a law that lets callers race at all has to see it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How long an operation stays between its two round trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Gap {
    /// About as long as a round trip within one machine takes.
    #[default]
    Narrow,
    /// Until another operation has come in, or none has for [`TURNS_MAX`] turns.
    Held,
}

/// Some microseconds.
const SPINS: u32 = 1000;
/// How many turns of the scheduler a held gap gives to the others. On idle cores that is less than a
/// millisecond; where others wait for a core, each turn lets one of them run.
pub(crate) const TURNS_MAX: u32 = 1000;

impl Gap {
    /// Lets other tasks and other threads in. A held gap stays open until `met`.
    pub(crate) async fn pass(self, met: impl Fn() -> bool) {
        match self {
            Self::Narrow => {
                spin();
                give_way().await;
            }
            Self::Held => {
                for _ in 0..TURNS_MAX {
                    if met() {
                        return;
                    }
                    std::thread::yield_now();
                    give_way().await;
                }
            }
        }
    }

    /// The same for a store that never awaits, so that only threads come in, for so many turns.
    pub(crate) fn pass_blocking(self, turns_max: u32, met: impl Fn() -> bool) {
        match self {
            Self::Narrow => spin(),
            Self::Held => {
                for _ in 0..turns_max {
                    if met() {
                        return;
                    }
                    std::thread::yield_now();
                }
            }
        }
    }
}

fn spin() {
    (0..SPINS).for_each(|_| std::hint::spin_loop());
}

/// Lets other tasks of the runtime run, where there is one.
pub(crate) async fn give_way() {
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Counts what has happened in a store, so that an operation in its gap can tell that another came in.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    /// One more; how many there are now.
    pub(crate) fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}
