//! The two drivers of a race. Each catches what the other misses: many tasks on one runtime interleave
//! where a store awaits, OS threads behind a spin barrier interleave where it does not.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Barrier;

use super::barrier::{BARRIER_MAX, SpinBarrier};
use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, panic_message};
use crate::harness::BoxFuture;
use crate::harness::place::Place;
use crate::runtime::clock::Stopwatch;
use crate::runtime::{Workers, start};

/// More tasks than the usual pool has connections.
const TASKS: usize = 16;
/// More threads than cores only wait for each other.
const THREADS_MAX: usize = 8;

/// The driver of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Tasks on one runtime.
    Tasks,
    /// OS threads behind a spin barrier.
    Threads,
}

impl Driver {
    /// The driver's name in messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Tasks => "tasks on one runtime",
            Self::Threads => "threads behind a barrier",
        }
    }

    /// The number of contenders in a race.
    pub(crate) fn contenders(self) -> usize {
        match self {
            Self::Tasks => TASKS,
            Self::Threads => std::thread::available_parallelism()
                .map_or(2, usize::from)
                .clamp(2, THREADS_MAX),
        }
    }
}

/// The work of a contender in a heat: a function of the contender's and the heat's number.
pub(crate) type Contender<T> = Arc<dyn Fn(usize, usize) -> BoxFuture<'static, T> + Send + Sync>;

/// Consecutive races in a round: starting a thread takes longer than a race.
pub(crate) const HEATS: usize = 8;

/// The runtime and the driver of rounds.
pub(crate) struct Arena {
    runtime: Handle,
    pub(crate) driver: Driver,
}

impl Arena {
    /// Runs a future on the arena's runtime, outside of any race.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Lets `contenders` work at the same time in each heat. Returns the result of each contender in each
    /// heat.
    pub(crate) fn round<T: Send + 'static>(
        &self,
        contenders: usize,
        contender: &Contender<T>,
    ) -> Result<Vec<Vec<T>>, Failure> {
        assert!(contenders >= 2, "one contender is no race");
        let got = match self.driver {
            Driver::Tasks => self.runtime.block_on(race_tasks(contenders, contender)),
            Driver::Threads => race_threads(&self.runtime, contenders, contender),
        }?;
        // Whoever panics or misses the others has ended the round with a failure.
        assert_eq!(got.len(), contenders, "each contender answers");
        let whole = got.iter().all(|heats| heats.len() == HEATS);
        assert!(whole, "each contender answers for each heat");
        Ok(got)
    }
}

/// Repeats `round` under both drivers, each with a store at its own place, for the race budget and at
/// least the minimum of rounds.
pub(crate) fn repeat(case: &Case, round: impl FnMut(&Arena, &Session, u64) -> Checked) -> Checked {
    repeat_until(case, || true, round)
}

/// How long contenders may miss each other, on a busy machine, before the law gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Repeats `round` until `enough`, for contenders that may miss each other: such rounds try nothing. After
/// [`PATIENCE`] the law gives up and is inconclusive.
pub(crate) fn repeat_until(
    case: &Case,
    enough: impl Fn() -> bool,
    mut round: impl FnMut(&Arena, &Session, u64) -> Checked,
) -> Checked {
    let over_one = |arena: &Arena, handles: &[Session], number| round(arena, &handles[0], number);
    rounds(case, 1, enough, over_one)
}

/// Repeats `round` with several handles on one place.
pub(crate) fn repeat_over(
    case: &Case,
    handles: usize,
    round: impl FnMut(&Arena, &[Session], u64) -> Checked,
) -> Checked {
    rounds(case, handles, || true, round)
}

fn rounds(
    case: &Case,
    handles: usize,
    enough: impl Fn() -> bool,
    mut round: impl FnMut(&Arena, &[Session], u64) -> Checked,
) -> Checked {
    assert!(handles >= 1, "a race is over a handle");
    if case.options().race_rounds_min == 0 {
        let message = "`Options::race_rounds_min` is 0: a race needs at least one round";
        return Err(Failure::Inconclusive(message.to_owned()));
    }
    if let Some(runtime) = case.subject.live.clone() {
        // Spinning threads would take the cores of the service.
        let driver = Driver::Tasks;
        return rounds_in(
            case,
            &Arena { runtime, driver },
            handles,
            &enough,
            &mut round,
        );
    }
    for driver in [Driver::Tasks, Driver::Threads] {
        let runtime = start(Workers::Pool(Driver::Threads.contenders()))?;
        let arena = Arena {
            runtime: runtime.handle().clone(),
            driver,
        };
        rounds_in(case, &arena, handles, &enough, &mut round)?;
    }
    Ok(())
}

fn rounds_in(
    case: &Case,
    arena: &Arena,
    handles: usize,
    enough: &impl Fn() -> bool,
    round: &mut impl FnMut(&Arena, &[Session], u64) -> Checked,
) -> Checked {
    let (driver, options) = (arena.driver, case.options());
    let place = case.another_place()?;
    let sessions = arena.block_on(open_handles(case, &place, handles))?;
    let watch = Stopwatch::start();
    let mut number = 0;
    while number < options.race_rounds_min
        || watch.elapsed() < options.race_budget
        || (!enough() && driver == Driver::Threads && watch.elapsed() < PATIENCE)
    {
        let words = driver.words();
        let step = format!("round {number} of a race between {words}");
        case.progress.step(Blame::Store, &step);
        round(arena, &sessions, number)?;
        number += 1;
    }
    assert_eq!(sessions.len(), handles, "no round closes a handle");
    drop(sessions);
    case.close_inside(&arena.runtime);
    arena.block_on(case.leave(&place))
}

async fn open_handles(
    case: &Case,
    place: &Arc<Place>,
    handles: usize,
) -> Result<Vec<Session>, Failure> {
    let mut sessions = vec![case.open_at(place).await?];
    while sessions.len() < handles {
        let another = case.open_at(place).await.map_err(|failure| match failure {
            Failure::Harness(message) => broken(format!(
                "another handle on the place, beside one that is open: {message}"
            )),
            other => other,
        })?;
        sessions.push(another);
    }
    Ok(sessions)
}

async fn race_tasks<T: Send + 'static>(
    contenders: usize,
    contender: &Contender<T>,
) -> Result<Vec<Vec<T>>, Failure> {
    let barrier = Arc::new(Barrier::new(contenders));
    let tasks: Vec<_> = (0..contenders)
        .map(|number| {
            let (barrier, contender) = (Arc::clone(&barrier), Arc::clone(contender));
            tokio::spawn(async move {
                let mut got = Vec::with_capacity(HEATS);
                for heat in 0..HEATS {
                    let future = contender(number, heat);
                    barrier.wait().await;
                    got.push(future.await);
                }
                got
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
) -> Result<Vec<Vec<T>>, Failure> {
    let barriers: [SpinBarrier; HEATS] = std::array::from_fn(|_| SpinBarrier::new(contenders));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..contenders)
            .map(|number| {
                let barriers = &barriers;
                scope.spawn(move || {
                    // The barriers are inside the runtime, so that after a barrier only the operation
                    // itself is left to do.
                    runtime.block_on(async move {
                        let mut got = Vec::with_capacity(HEATS);
                        for (heat, barrier) in barriers.iter().enumerate() {
                            let future = contender(number, heat);
                            if !barrier.wait(number) {
                                return None;
                            }
                            lag(number, heat);
                            got.push(future.await);
                        }
                        Some(got)
                    })
                })
            })
            .collect();
        let mut results = Vec::with_capacity(contenders);
        for thread in threads {
            let joined = thread.join().map_err(|payload| {
                let message = panic_message(&*payload);
                broken(format!(
                    "a racing thread: expected an answer, got a panic: {message}"
                ))
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

/// Delays a contender by some nanoseconds, which vary with the heat. The last contender at a barrier is
/// the first to leave it; without the delay it would always be ahead, by about the width of a small race.
fn lag(number: usize, heat: usize) {
    const LAG_MAX: usize = 61;
    for step in 0..(number * 2 + 1) * (heat + 1) * 37 % LAG_MAX {
        std::hint::black_box(step);
    }
}
