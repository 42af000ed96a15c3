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
const SPINS: u32 = 100;
/// How many turns a held gap gives to the other tasks of the runtime, or spins for other threads.
const TURNS_MAX: u32 = 1000;
/// After so many turns the scheduler may run another thread. On a busy machine each of these costs a
/// time slice of every process that waits for a core, so they are few.
const TURNS_TO_YIELD: u32 = 200;

impl Gap {
    /// Lets other tasks and other threads in. A held gap stays open until `met`.
    pub(crate) async fn pass(self, met: impl Fn() -> bool) {
        match self {
            Self::Narrow => {
                spin();
                give_way().await;
            }
            Self::Held => {
                for turn in 1..=TURNS_MAX {
                    if met() {
                        return;
                    }
                    yield_thread_at_times(turn);
                    give_way().await;
                }
            }
        }
    }

    /// The same for a store that never awaits, so that only threads come in.
    pub(crate) fn pass_blocking(self, met: impl Fn() -> bool) {
        match self {
            Self::Narrow => spin(),
            Self::Held => {
                for turn in 1..=TURNS_MAX {
                    if met() {
                        return;
                    }
                    yield_thread_at_times(turn);
                    std::hint::spin_loop();
                }
            }
        }
    }
}

fn yield_thread_at_times(turn: u32) {
    if turn.is_multiple_of(TURNS_TO_YIELD) {
        std::thread::yield_now();
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
    /// Adds one, and returns the new count.
    pub(crate) fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn now(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// The operations of a store that are in their gap, where any two of them break a law together.
#[derive(Debug, Default)]
pub(crate) struct Crossing {
    inside: AtomicUsize,
    entered: Count,
}

impl Crossing {
    /// Enters the gap; the answer tells when this operation has met another.
    ///
    /// The last of several operations finds another inside, so it need not wait for one more.
    pub(crate) fn enter(&self) -> Crosser<'_> {
        let met_at_once = self.inside.fetch_add(1, Ordering::SeqCst) > 0;
        let own = self.entered.up();
        Crosser {
            crossing: self,
            met_at_once,
            own,
        }
    }
}

/// An operation in its gap, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Crosser<'a> {
    crossing: &'a Crossing,
    met_at_once: bool,
    own: usize,
}

impl Crosser<'_> {
    pub(crate) fn met(&self) -> bool {
        self.met_at_once || self.crossing.entered.now() > self.own
    }
}

impl Drop for Crosser<'_> {
    fn drop(&mut self) {
        self.crossing.inside.fetch_sub(1, Ordering::SeqCst);
    }
}
