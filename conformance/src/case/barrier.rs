//! Where the threads of a race meet.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::runtime::clock::Stopwatch;

/// How long a contender waits at the barrier before the round is given up.
pub(super) const BARRIER_MAX: Duration = Duration::from_secs(5);
/// The most that the time between two looks at the clock counts.
const LOOK_MAX: Duration = Duration::from_millis(250);

/// Releases threads within nanoseconds of each other, while each of them is on a core.
///
/// All arrive first. Then each beats, until one sees that all others have just beaten. A thread that has
/// arrived may have lost its core since, as on a busy machine; a thread that beats has one. Threads that do
/// not meet soon sleep until the next tick of a clock that they share, since whoever wakes up gets a core
/// first. Spinning, they would only keep each other off the cores.
pub(super) struct SpinBarrier {
    arrived: AtomicUsize,
    /// Where a thread sleeps whose contenders need long to arrive.
    asleep: Mutex<()>,
    complete: Condvar,
    /// A counter for each contender.
    beats: Vec<AtomicU64>,
    open: AtomicBool,
    clock: Stopwatch,
}

/// The time between two ticks at which sleeping threads wake up.
const TICK: Duration = Duration::from_millis(1);

impl SpinBarrier {
    /// Spins until a thread sleeps: as long as an operation in memory takes.
    const SPINS_TO_SLEEP: u32 = 1 << 10;
    /// Beats in which all others must beat. A thread without a core does not for milliseconds.
    const BEATS: u32 = 1 << 6;
    /// Beats until a thread sleeps: as long as it takes another to wake up. It grows each time, up to the
    /// time after which a scheduler moves a thread to another core.
    const BEATS_TO_SLEEP: u32 = 1 << 11;
    const BEATS_TO_SLEEP_MAX: u32 = 1 << 17;

    pub(super) fn new(contenders: usize) -> Self {
        let beats = std::iter::repeat_with(AtomicU64::default);
        Self {
            arrived: AtomicUsize::new(0),
            asleep: Mutex::default(),
            complete: Condvar::new(),
            beats: beats.take(contenders).collect(),
            open: AtomicBool::new(false),
            clock: Stopwatch::start(),
        }
    }

    /// Waits for the others; `false` if they did not come. `number` is that of the contender.
    pub(super) fn wait(&self, number: usize) -> bool {
        self.arrive() && self.run(number)
    }

    fn is_complete(&self) -> bool {
        self.arrived.load(Ordering::Acquire) == self.beats.len()
    }

    fn arrive(&self) -> bool {
        let before = self.arrived.fetch_add(1, Ordering::AcqRel);
        // A barrier serves one heat, and each contender comes to it once.
        assert!(
            before < self.beats.len(),
            "no more contenders come than were counted"
        );
        for _ in 0..Self::SPINS_TO_SLEEP {
            if self.is_complete() {
                break;
            }
            std::hint::spin_loop();
        }
        let mut asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        let mut patience = Patience::new();
        while !self.is_complete() {
            let woken = self.complete.wait_timeout(asleep, LOOK_MAX);
            asleep = woken.unwrap_or_else(PoisonError::into_inner).0;
            if !self.is_complete() && patience.is_over() {
                return false;
            }
        }
        drop(asleep);
        self.complete.notify_all();
        true
    }

    fn run(&self, number: usize) -> bool {
        let mut patience = Patience::new();
        let mut beats = Self::BEATS_TO_SLEEP;
        while !self.meet(number, beats) {
            if patience.is_over() {
                return false;
            }
            self.sleep_until_the_next_tick();
            beats = (beats + beats / 4).min(Self::BEATS_TO_SLEEP_MAX);
        }
        true
    }

    /// Beats for a while, and returns whether all met.
    fn meet(&self, number: usize, beats: u32) -> bool {
        let mut seen = self.looked();
        for _ in 0..beats / Self::BEATS {
            for _ in 0..Self::BEATS {
                if self.open.load(Ordering::Acquire) {
                    return true;
                }
                self.beats[number].fetch_add(1, Ordering::Relaxed);
                std::hint::spin_loop();
            }
            let now = self.looked();
            let numbered = seen.iter().zip(&now).enumerate();
            let mut others = numbered.filter(|(other, _)| *other != number);
            if others.all(|(_, (before, now))| before < now) {
                self.open.store(true, Ordering::Release);
                return true;
            }
            seen = now;
        }
        false
    }

    fn sleep_until_the_next_tick(&self) {
        let tick = TICK.as_nanos() as u64;
        let since = self.clock.elapsed().as_nanos() as u64 % tick;
        let asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody wakes it up.
        let _woken = self
            .complete
            .wait_timeout(asleep, Duration::from_nanos(tick - since));
    }

    /// The beats of all contenders.
    fn looked(&self) -> Vec<u64> {
        let beats = self.beats.iter();
        beats.map(|beats| beats.load(Ordering::Relaxed)).collect()
    }
}

/// How long a thread has waited for others. While its process was stopped, it has not.
struct Patience {
    look: Stopwatch,
    waited: Duration,
}

impl Patience {
    fn new() -> Self {
        Self {
            look: Stopwatch::start(),
            waited: Duration::ZERO,
        }
    }

    fn is_over(&mut self) -> bool {
        self.waited += self.look.elapsed().min(LOOK_MAX);
        self.look = Stopwatch::start();
        self.waited > BARRIER_MAX
    }
}
