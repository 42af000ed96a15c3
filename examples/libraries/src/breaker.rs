//! A circuit breaker before a receiver that fails.
//!
//! While the breaker is open, attempts fail at once, and the receiver gets time to recover. A rejected attempt counts
//! for the task's policy like any other, so the policy has to be longer than the breaker stays open.

use std::sync::Arc;
use std::time::Duration;

use crashpoint::{BuildError, Ctx, RetryPolicy, State, TaskError, Workflow};
use recloser::{Error, Recloser};

/// A parcel for a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub enum Parcel {
    /// Nobody has taken it yet.
    HandOver,
    /// The carrier has it.
    HandedOver,
}

/// A breaker that opens when half of ten calls have failed, for `open_wait`.
pub fn breaker(open_wait: Duration) -> Recloser {
    Recloser::custom()
        .error_rate(0.5)
        .closed_len(10)
        .half_open_len(2)
        .open_wait(open_wait)
        .build()
}

/// The workflow: `carrier` takes a parcel, or says why not.
///
/// # Errors
///
/// None that a valid definition has.
pub fn workflow(
    breaker: Arc<Recloser>,
    carrier: impl Fn(&Ctx) -> Result<(), String> + Send + Sync + 'static,
) -> Result<Workflow<Parcel>, BuildError> {
    let carrier = Arc::new(carrier);
    let hand_over = move |ctx: Ctx| {
        let (breaker, carrier) = (Arc::clone(&breaker), Arc::clone(&carrier));
        async move {
            match breaker.call(|| carrier(&ctx)) {
                Ok(()) => Ok(Parcel::HandedOver),
                Err(Error::Inner(why)) => Err(TaskError::retry(why)),
                Err(Error::Rejected) => Err(TaskError::retry("the breaker is open")),
            }
        }
    };
    Workflow::builder("parcel", 1)
        .task(Parcel::HandOver, "hand over", hand_over)
        .retry(RetryPolicy::fixed(100, Duration::from_secs(1)))
        .exit(Parcel::HandedOver)
        .build()
}
