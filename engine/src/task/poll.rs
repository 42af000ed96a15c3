//! Polling tasks: states that ask again and again.

use std::future::Future;
use std::time::Duration;

use crate::state::State;
use crate::task::{Ctx, TaskError};

/// The action of a state that asks the outside world for something until it is ready.
///
/// Each round asks once. A round leaves no row, so rounds are cheap, and a round must not have an
/// outside effect that may not be repeated. [`Ctx::idempotency_key`] is the same in all rounds of a visit.
/// A retry policy limits the attempts of each round, not the rounds.
///
/// [`WorkflowBuilder::poll_limit`] limits the visit. Its deadline is durable before the first round, and the
/// same in every life. [`Ctx::round`] is the number of the round; it is durable from 4 rounds on
/// each time that it has doubled, so a later life goes on with at least half of the rounds.
///
/// An `async fn` or a closure that takes a [`Ctx`] and returns a [`PollOutcome`] is a polling task:
///
/// ```
/// use std::time::Duration;
///
/// use crashpoint::{Ctx, PollOutcome, State, TaskError, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Parcel { Track, Arrived }
///
/// # async fn carrier_has_delivered() -> bool { true }
/// async fn track(ctx: Ctx) -> Result<PollOutcome<Parcel>, TaskError> {
///     if carrier_has_delivered().await {
///         return Ok(PollOutcome::Ready(Parcel::Arrived));
///     }
///     // 2, 4, 8 minutes, and so on up to an hour.
///     let minutes = 2_u64.saturating_pow(u32::try_from(ctx.round())?).min(60);
///     Ok(PollOutcome::Pending(Duration::from_secs(60 * minutes)))
/// }
///
/// let workflow = Workflow::builder("parcel", 1)
///     .poll(Parcel::Track, "track", track)
///     .poll_limit(Duration::from_secs(7 * 24 * 60 * 60))
///     .to([Parcel::Arrived])
///     .exit(Parcel::Arrived)
///     .build()?;
/// # let _ = workflow;
/// # Ok::<(), crashpoint::BuildError>(())
/// ```
///
/// [`WorkflowBuilder::poll_limit`]: crate::WorkflowBuilder::poll_limit
pub trait PollTask<S: State>: Send + Sync + 'static {
    /// Makes one round.
    ///
    /// # Errors
    ///
    /// As [`Task::run`](crate::Task::run). The next round has all attempts of the retry policy again.
    fn poll(&self, ctx: Ctx) -> impl Future<Output = Result<PollOutcome<S>, TaskError>> + Send;
}

impl<S, F, R> PollTask<S> for F
where
    S: State,
    F: Fn(Ctx) -> R + Send + Sync + 'static,
    R: Future<Output = Result<PollOutcome<S>, TaskError>> + Send,
{
    fn poll(&self, ctx: Ctx) -> impl Future<Output = Result<PollOutcome<S>, TaskError>> + Send {
        self(ctx)
    }
}

/// The result of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PollOutcome<S> {
    /// The task is done; the run enters this state.
    Ready(S),
    /// The task is not ready. The next round begins after this pause, or with the next life.
    Pending(Duration),
}
