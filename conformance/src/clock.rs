//! The one file of the kit that reads a clock. A law's deadline and a race's budget are about real
//! time: the stores under test are real, and so are their deadlocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Measures from its creation.
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

/// Milliseconds since 1970, for people and to tell the last of several runs; zero before that.
#[expect(clippy::disallowed_methods, reason = "a report says when it was made")]
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    u64::try_from(since).unwrap_or(u64::MAX)
}
