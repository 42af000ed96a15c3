//! The wall clock, which a benchmark measures.

use std::time::{Duration, Instant};

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures the wall clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long a future takes, in microseconds, and its value.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (u64, T) {
    let begin = now();
    let value = future.await;
    (in_us(begin.elapsed()), value)
}

/// A duration in whole microseconds.
pub(crate) fn in_us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
