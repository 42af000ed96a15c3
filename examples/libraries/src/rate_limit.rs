//! A rate limit for all runs of a process.
//!
//! The limit is not part of a run, so it is not durable: a process that starts again begins with a full quota. A limit
//! over several processes is the receiver's to keep, or that of a store which they share.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{BuildError, Ctx, RetryPolicy, State, TaskError, Workflow};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// A limit, which is shared by all runs.
pub type Limiter<C> =
    RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A notice to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub enum Notice {
    /// It waits for its turn.
    Send,
    /// The receiver has it.
    Sent,
}

/// A limit of so many notices at once and, after that, of as many in each second.
pub fn limiter<C: Clock + Clone>(per_second: std::num::NonZeroU32, clock: C) -> Limiter<C> {
    RateLimiter::direct_with_clock(Quota::per_second(per_second), clock)
}

/// The workflow. A task over the limit fails before it has done anything, and its policy tries it again. So an attempt
/// that waits holds no connection, and the engine's observers see it.
///
/// # Errors
///
/// None that a valid definition has.
pub fn workflow<C>(
    limiter: Arc<Limiter<C>>,
    deliver: fn(&Ctx),
) -> Result<Workflow<Notice>, BuildError>
where
    C: Clock + Send + Sync + 'static,
    C::Instant: Send + Sync,
{
    let send = move |ctx: Ctx| {
        let limiter = Arc::clone(&limiter);
        async move {
            if limiter.check().is_err() {
                return Err(TaskError::retry("over the limit"));
            }
            deliver(&ctx);
            Ok(Notice::Sent)
        }
    };
    Workflow::builder("notice", 1)
        .task(Notice::Send, "send", send)
        .retry(RetryPolicy::fixed(100, Duration::from_millis(100)))
        .exit(Notice::Sent)
        .build()
}
