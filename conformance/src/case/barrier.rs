//! Where the threads of a race meet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::runtime::clock::Stopwatch;

/// How long a contender waits for the others at the barrier before the round is given up.
pub(super) const BARRIER_MAX: Duration = Duration::from_secs(5);
/// What passes between two looks at the clock counts for no more than this.
const LOOK_MAX: Duration = Duration::from_millis(250);

/// Lets threads go within nanoseconds of each other; a parked thread takes microseconds to wake.
pub(super) struct SpinBarrier {
    contenders: usize,
    arrived: AtomicUsize,
    running: AtomicUsize,
}

impl SpinBarrier {
    /// Spins between two yields to threads without a core, and between two looks at the clock.
    const SPINS: u32 = 4096;
    /// The same once all have arrived: long enough for a thread that has yielded to be back.
    const SPINS_TO_RUN: u32 = 1 << 22;

    pub(super) fn new(contenders: usize) -> Self {
        Self {
            contenders,
            arrived: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
        }
    }

    /// Waits for the others; `false` where they did not come.
    ///
    /// On a busy machine the thread that comes last finds the others off their cores, so all meet
    /// once more before they go: whoever is counted there is running.
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
                // A process that was stopped for a while has not waited for anybody.
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
