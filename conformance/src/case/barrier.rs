//! Where the threads of a race meet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::runtime::clock::Stopwatch;

/// How long a contender waits at the barrier before the round is given up.
pub(super) const BARRIER_MAX: Duration = Duration::from_secs(5);
/// The most that the time between two looks at the clock counts.
const LOOK_MAX: Duration = Duration::from_millis(250);

/// Releases threads within nanoseconds of each other; waking a parked thread takes microseconds.
pub(super) struct SpinBarrier {
    contenders: usize,
    arrived: AtomicUsize,
    running: AtomicUsize,
}

impl SpinBarrier {
    /// Spins between two yields, and between two looks at the clock.
    const SPINS: u32 = 4096;
    /// The same when all have arrived: long enough for a thread that has yielded to return.
    const SPINS_TO_RUN: u32 = 1 << 22;

    pub(super) fn new(contenders: usize) -> Self {
        Self {
            contenders,
            arrived: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }

    /// Waits for the others; `false` if they did not arrive.
    ///
    /// On a busy machine the last thread finds the others without a core. So all meet a second time,
    /// where each counted thread is running.
    pub(super) fn wait(&self) -> bool {
        self.meet(&self.arrived, Self::SPINS) && self.meet(&self.running, Self::SPINS_TO_RUN)
    }

    fn meet(&self, met: &AtomicUsize, spins_to_yield: u32) -> bool {
        let before = met.fetch_add(1, Ordering::AcqRel);
        // A barrier serves one heat, and each contender comes to it once.
        assert!(
            before < self.contenders,
            "no more contenders come than were counted"
        );
        let (mut look, mut waited) = (Stopwatch::start(), Duration::ZERO);
        let mut spins = 0_u32;
        while met.load(Ordering::Acquire) < self.contenders {
            std::hint::spin_loop();
            spins = spins.wrapping_add(1);
            if spins.is_multiple_of(spins_to_yield) {
                // While its process was stopped, a thread has not waited for others.
                waited += look.elapsed().min(LOOK_MAX);
                if waited > BARRIER_MAX {
                    return false;
                }
                look = Stopwatch::start();
                std::thread::yield_now();
            }
        }
        true
    }
}
