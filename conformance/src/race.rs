//! The two drivers of a race, since each catches what the other misses: many tasks on one runtime
//! interleave where a store awaits, OS threads behind a spin barrier where it does not.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::Barrier;

use crate::case::{Blame, Case, Session};
use crate::clock::Stopwatch;
use crate::expect::{Checked, Failure, broken};
use crate::harness::BoxFuture;
use crate::run::panic_message;
use crate::runtime::{Workers, start};

/// Below this a race has not been tried.
const ROUNDS_MIN: u64 = 20;
/// More tasks than any pool of connections has members.
const TASKS: usize = 16;
/// More threads than cores only wait for each other.
const THREADS_MAX: usize = 8;
/// How long a contender waits for the others at the barrier before the round is given up.
const BARRIER_MAX: Duration = Duration::from_secs(5);

/// Which driver a round runs under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Tasks on one runtime.
    Tasks,
    /// OS threads behind a spin barrier.
    Threads,
}

impl Driver {
    /// The driver in words, for the message of a failure.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Tasks => "tasks on one runtime",
            Self::Threads => "threads behind a barrier",
        }
    }

    /// How many contenders make a race.
    pub(crate) fn contenders(self) -> usize {
        match self {
            Self::Tasks => TASKS,
            Self::Threads => std::thread::available_parallelism()
                .map_or(2, usize::from)
                .clamp(2, THREADS_MAX),
        }
    }
}

/// What a round does for the contender of a number.
pub(crate) type Contender<T> = Arc<dyn Fn(usize) -> BoxFuture<'static, T> + Send + Sync>;

/// Where rounds are run.
pub(crate) struct Arena {
    runtime: Runtime,
    pub(crate) driver: Driver,
}

impl Arena {
    /// Runs a future on the arena's runtime, outside of any race.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Lets `contenders` do their part at once; what came of each, in their order.
    pub(crate) fn round<T: Send + 'static>(
        &self,
        contenders: usize,
        contender: &Contender<T>,
    ) -> Result<Vec<T>, Failure> {
        match self.driver {
            Driver::Tasks => self.runtime.block_on(race_tasks(contenders, contender)),
            Driver::Threads => race_threads(self.runtime.handle(), contenders, contender),
        }
    }
}

/// Repeats `round` under both drivers, each with a store at a place of its own, for the race budget
/// and at least the minimum of rounds.
pub(crate) fn repeat(
    case: &Case,
    mut round: impl FnMut(&Arena, &Session, u64) -> Checked,
) -> Checked {
    for driver in [Driver::Tasks, Driver::Threads] {
        let arena = Arena {
            runtime: start(Workers::Pool(Driver::Threads.contenders()))?,
            driver,
        };
        let place = case.another_place()?;
        let session = arena.block_on(case.open_at(&place))?;
        let watch = Stopwatch::start();
        let mut number = 0;
        while number < ROUNDS_MIN || watch.elapsed() < case.options().race_budget {
            let words = driver.words();
            let step = format!("round {number} of a race between {words}");
            case.progress.step(Blame::Store, step);
            round(&arena, &session, number)?;
            number += 1;
        }
        drop(session);
        case.close();
        arena.block_on(case.leave(&place))?;
    }
    Ok(())
}

async fn race_tasks<T: Send + 'static>(
    contenders: usize,
    contender: &Contender<T>,
) -> Result<Vec<T>, Failure> {
    let barrier = Arc::new(Barrier::new(contenders));
    let tasks: Vec<_> = (0..contenders)
        .map(|number| {
            let (barrier, future) = (Arc::clone(&barrier), contender(number));
            tokio::spawn(async move {
                barrier.wait().await;
                future.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(contenders);
    for task in tasks {
        let joined = task.await;
        results.push(joined.map_err(|error| broken(format!("a racing task failed: {error}")))?);
    }
    Ok(results)
}

fn race_threads<T: Send + 'static>(
    runtime: &Handle,
    contenders: usize,
    contender: &Contender<T>,
) -> Result<Vec<T>, Failure> {
    let barrier = SpinBarrier::new(contenders);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..contenders)
            .map(|number| {
                let (barrier, future) = (&barrier, contender(number));
                scope.spawn(move || {
                    runtime.block_on(async move {
                        // Inside of the runtime, so that nothing is left to do after the barrier
                        // but the operation itself.
                        if !barrier.wait() {
                            return None;
                        }
                        Some(future.await)
                    })
                })
            })
            .collect();
        let mut results = Vec::with_capacity(contenders);
        for thread in threads {
            let joined = thread.join().map_err(|payload| {
                let message = panic_message(&*payload);
                broken(format!("a racing thread panicked: {message}"))
            })?;
            results.push(joined.ok_or_else(|| {
                Failure::Inconclusive(format!(
                    "{contenders} threads did not meet in {BARRIER_MAX:?}"
                ))
            })?);
        }
        Ok(results)
    })
}

/// Lets threads go within nanoseconds of each other; a parked thread takes microseconds to wake.
struct SpinBarrier {
    missing: AtomicUsize,
}

impl SpinBarrier {
    /// Spins between two looks at the clock, and between two yields to threads without a core.
    const SPINS: u32 = 4096;

    fn new(contenders: usize) -> Self {
        Self {
            missing: AtomicUsize::new(contenders),
        }
    }

    /// Waits for the others; `false` where they did not come.
    fn wait(&self) -> bool {
        self.missing.fetch_sub(1, Ordering::AcqRel);
        let watch = Stopwatch::start();
        let mut spins = 0_u32;
        while self.missing.load(Ordering::Acquire) != 0 {
            std::hint::spin_loop();
            spins = spins.wrapping_add(1);
            if spins.is_multiple_of(Self::SPINS) {
                if watch.elapsed() > BARRIER_MAX {
                    return false;
                }
                std::thread::yield_now();
            }
        }
        true
    }
}
