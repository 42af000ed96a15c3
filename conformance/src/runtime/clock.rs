//! The only file of the kit that reads a clock. Deadlines of laws and budgets of races are in real time,
//! because the stores under test are real, and so are their deadlocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Measures the time since its creation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "deadlines and budgets of a law are real time"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Measures how long work holds its thread: running, asleep or blocked. On Linux the time that the thread
/// waited for a core is left out, since the machine causes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldTimer {
    watch: Stopwatch,
    waited_before: Duration,
}

impl HoldTimer {
    pub(crate) fn start() -> Self {
        let waited_before = waited_for_a_core();
        let watch = Stopwatch::start();
        Self {
            watch,
            waited_before,
        }
    }

    pub(crate) fn elapsed(self) -> Duration {
        let elapsed = self.watch.elapsed();
        let waited = waited_for_a_core().saturating_sub(self.waited_before);
        elapsed.saturating_sub(waited)
    }
}

/// The total time for which the calling thread was ready to run but had no core; zero if the system does
/// not report it.
fn waited_for_a_core() -> Duration {
    if !cfg!(target_os = "linux") {
        return Duration::ZERO;
    }
    // Three numbers: nanoseconds on a core, nanoseconds ready without one, and how often it ran.
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let waited = stat.split_whitespace().nth(1);
    let nanos = waited.and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanos)
}

/// Milliseconds since 1970, for people and to order runs; zero before 1970.
#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}
