//! The kinds of tasks, and what they get.

mod ctx;
mod data;
mod error;
mod handler;
mod interpose;
mod poll;
mod timer;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::state::State;

pub use ctx::Ctx;
pub(crate) use ctx::{Action, LifeContext};
pub use data::RunData;
pub(crate) use error::Unserializable;
pub use error::{BoxError, TaskError};
pub(crate) use handler::{
    Call, Compensatable, Handler, Plain, Polling, Producing, Routing, Stepped, Waiting, readable,
};
pub(crate) use interpose::Interposed;
pub use interpose::{Attempted, Interposer};
pub use poll::{PollOutcome, PollTask};
pub use timer::{Timer, Wake};

/// The action of a state, without an undo.
///
/// An `async fn` or a closure that takes a [`Ctx`] is a task. Nothing undoes the outside effect of a
/// plain task, so no task after it should fail for good.
///
/// ```
/// use crashpoint::{Ctx, State, Task, TaskError};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail { Send, Sent }
///
/// struct Send { server: String }
///
/// impl Task<Mail> for Send {
///     async fn run(&self, ctx: Ctx) -> Result<Mail, TaskError> {
///         let _request = (&self.server, ctx.idempotency_key());
///         Ok(Mail::Sent)
///     }
/// }
/// ```
pub trait Task<S: State>: Send + Sync + 'static {
    /// Does the work and returns the state to enter.
    ///
    /// # Errors
    ///
    /// [`TaskError::Retry`] if another attempt may help (`?` returns it), [`TaskError::Fatal`]
    /// otherwise. After the last attempt the run rolls back.
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<S, TaskError>> + Send;
}

impl<S, F, R> Task<S> for F
where
    S: State,
    F: Fn(Ctx) -> R + Send + Sync + 'static,
    R: Future<Output = Result<S, TaskError>> + Send,
{
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<S, TaskError>> + Send {
        self(ctx)
    }
}

/// The action of a state, without an undo, that leaves an output for later tasks.
///
/// The output is durable before the run goes on: it is in the row that enters the next state. It is
/// serialized as JSON. Later tasks, routers and compensations read it from those bytes with
/// [`Ctx::output`], in the first life too. If a loop runs the task again, they read its newest output.
///
/// An `async fn` or a closure that takes a [`Ctx`] and returns the next state with the output is such a
/// task:
///
/// ```
/// use crashpoint::{Ctx, State, TaskError, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Trip { Quote, Book, Booked }
///
/// async fn quote(_ctx: Ctx) -> Result<(Trip, u64), TaskError> {
///     Ok((Trip::Book, 129))
/// }
///
/// async fn book(ctx: Ctx) -> Result<Trip, TaskError> {
///     let price: u64 = ctx.output("quote")?;
///     assert_eq!(price, 129);
///     Ok(Trip::Booked)
/// }
///
/// let workflow = Workflow::builder("trip", 1)
///     .task_with_output(Trip::Quote, "quote", quote)
///     .task(Trip::Book, "book", book)
///     .exit(Trip::Booked)
///     .build()?;
/// # let engine = crashpoint::Engine::new(crashpoint::MemoryCheckpointStore::new());
/// # let run = engine.run(&workflow, "trip-1", Trip::Quote, &());
/// # let runtime = tokio::runtime::Builder::new_current_thread().build();
/// # let outcome = runtime.expect("a runtime").block_on(run);
/// # assert_eq!(outcome.expect("it ends"), crashpoint::Outcome::Done(Trip::Booked));
/// # Ok::<(), crashpoint::BuildError>(())
/// ```
pub trait TaskWithOutput<S: State>: Send + Sync + 'static {
    /// The durable result, for later tasks through [`Ctx::output`].
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Does the work; returns the state to enter and the output.
    ///
    /// # Errors
    ///
    /// As [`Task::run`].
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<(S, Self::Output), TaskError>> + Send;
}

impl<S, O, F, R> TaskWithOutput<S> for F
where
    S: State,
    O: Serialize + DeserializeOwned + Send + 'static,
    F: Fn(Ctx) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(S, O), TaskError>> + Send,
{
    type Output = O;

    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<(S, O), TaskError>> + Send {
        self(ctx)
    }
}

/// A state that only chooses the next state, from the input and the outputs of the run.
///
/// A router has no outside effect. So it is no `async fn`, and it gets [`RunData`] instead of a
/// [`Ctx`]: no key, no token, no clock. After a crash it chooses again, from the same data. The log
/// says that the row is a router's.
///
/// A `fn` or a closure that takes a [`&RunData`](RunData) is a router:
///
/// ```
/// use crashpoint::{RunData, State, TaskError, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Claim { Decide, Pay, Refuse }
///
/// fn decide(data: &RunData) -> Result<Claim, TaskError> {
///     let cents: u64 = data.input()?;
///     Ok(if cents < 10_000 { Claim::Pay } else { Claim::Refuse })
/// }
///
/// let workflow = Workflow::builder("claim", 1)
///     .router(Claim::Decide, "decide", decide)
///     .to([Claim::Pay, Claim::Refuse])
///     .exit(Claim::Pay)
///     .exit(Claim::Refuse)
///     .build()?;
/// # let _ = workflow;
/// # Ok::<(), crashpoint::BuildError>(())
/// ```
pub trait Router<S: State>: Send + Sync + 'static {
    /// Chooses the state to enter.
    ///
    /// # Errors
    ///
    /// As [`Task::run`].
    fn route(&self, data: &RunData) -> Result<S, TaskError>;
}

impl<S, F> Router<S> for F
where
    S: State,
    F: Fn(&RunData) -> Result<S, TaskError> + Send + Sync + 'static,
{
    fn route(&self, data: &RunData) -> Result<S, TaskError> {
        self(data)
    }
}

/// The action of a state, together with its compensation.
///
/// The output is durable before the run goes on. It is serialized as JSON, so the type can gain
/// fields while runs are active. Later tasks and the compensation always read it from those bytes,
/// in the first life too.
///
/// ```
/// use crashpoint::{CompensatableTask, Ctx, State, TaskError};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Order { Charge, Charged }
///
/// struct Charge;
///
/// impl CompensatableTask<Order> for Charge {
///     /// The id of the payment.
///     type Output = String;
///
///     async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
///         // Send this key to the payment service.
///         let payment = ctx.idempotency_key();
///         Ok((Order::Charged, payment))
///     }
///
///     async fn compensate(&self, _ctx: Ctx, payment: String) -> Result<(), TaskError> {
///         println!("refund {payment}");
///         Ok(())
///     }
/// }
/// ```
pub trait CompensatableTask<S: State>: Send + Sync + 'static {
    /// The durable result, for the compensation and for later tasks through [`Ctx::output`].
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Does the work; returns the state to enter and the output.
    ///
    /// # Errors
    ///
    /// As [`Task::run`].
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<(S, Self::Output), TaskError>> + Send;

    /// Undoes a completed visit. It may run again after a crash or a takeover, so it must be
    /// idempotent.
    ///
    /// # Errors
    ///
    /// As [`Task::run`]. After the last attempt the other compensations still run; the run is then
    /// stuck.
    fn compensate(
        &self,
        ctx: Ctx,
        output: Self::Output,
    ) -> impl Future<Output = Result<(), TaskError>> + Send;

    /// Undoes a visit of unknown outcome: it was open when the rollback started. The task may have
    /// done all of its work, some or none, and there is no output. The default does nothing.
    ///
    /// [`Ctx::do_idempotency_key`] is the key of the forward action. A service that keeps the key can
    /// answer whether it performed the request.
    ///
    /// # Errors
    ///
    /// As [`compensate`](Self::compensate).
    fn compensate_in_doubt(&self, ctx: Ctx) -> impl Future<Output = Result<(), TaskError>> + Send {
        let _ = ctx;
        async { Ok(()) }
    }
}

/// The action of a state in steps, with a durable cursor after each step.
///
/// A crash repeats at most the step in progress. The cursor belongs to one visit: when a loop enters
/// the state again, the first step gets `None`.
///
/// ```
/// use crashpoint::{Ctx, State, StepOutcome, SteppedTask, TaskError};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Import { Load, Loaded }
///
/// struct Load;
///
/// impl SteppedTask<Import> for Load {
///     /// The number of pages loaded.
///     type Cursor = u32;
///
///     async fn step(
///         &self,
///         _ctx: Ctx,
///         pages: Option<u32>,
///     ) -> Result<StepOutcome<u32, Import>, TaskError> {
///         match pages.unwrap_or(0) {
///             9 => Ok(StepOutcome::Done(Import::Loaded)),
///             pages => Ok(StepOutcome::More(pages + 1)),
///         }
///     }
/// }
/// ```
pub trait SteppedTask<S: State>: Send + Sync + 'static {
    /// The position of the task, serialized as JSON.
    type Cursor: Serialize + DeserializeOwned + Send + 'static;

    /// Does the step after `cursor`; `None` is the first step of a visit.
    ///
    /// # Errors
    ///
    /// As [`Task::run`].
    fn step(
        &self,
        ctx: Ctx,
        cursor: Option<Self::Cursor>,
    ) -> impl Future<Output = Result<StepOutcome<Self::Cursor, S>, TaskError>> + Send;
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome<C, S> {
    /// More steps follow, from this cursor on.
    More(C),
    /// The task is done; the run enters this state.
    Done(S),
}
