//! What a user writes: tasks of three kinds, and what they are given.

mod ctx;
mod error;
mod handler;
mod interpose;

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::state::State;

pub use ctx::Ctx;
pub(crate) use ctx::{Action, LifeContext};
pub use error::{BoxError, TaskError};
pub(crate) use handler::{Call, Compensatable, Handler, Plain, Stepped, readable};
pub(crate) use interpose::Interposed;
pub use interpose::{Attempted, Interposer};

/// A state's forward action that leaves nothing to undo.
///
/// An `async fn` or a closure that takes a [`Ctx`] is a task. A plain task with an outside effect
/// is a pivot: nothing undoes it, so nothing after it should fail for good.
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
    /// Does the work and names the state to enter.
    ///
    /// # Errors
    ///
    /// [`TaskError::Retry`] where another attempt may help (`?` gives it), [`TaskError::Fatal`]
    /// where none will. When no attempt is left the run turns around.
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

/// A state's forward action together with its semantic undo.
///
/// The output is durable before the run goes on. It is serialized as JSON, so that it can gain
/// fields while runs are under way, and both later tasks and the undo read it back from those
/// bytes, in the first life as in any other.
pub trait CompensatableTask<S: State>: Send + Sync + 'static {
    /// What the task leaves: for its undo, and for later tasks through [`Ctx::output`].
    type Output: Serialize + DeserializeOwned + Send + 'static;

    /// Does the work; names the state to enter and leaves the output.
    ///
    /// # Errors
    ///
    /// As [`Task::run`].
    fn run(&self, ctx: Ctx) -> impl Future<Output = Result<(S, Self::Output), TaskError>> + Send;

    /// Undoes what a completed run of the task did. It may run again after a crash or a takeover,
    /// so it must be idempotent.
    ///
    /// # Errors
    ///
    /// As [`Task::run`]. When no attempt is left the other undos still run, and the run is stuck.
    fn compensate(
        &self,
        ctx: Ctx,
        output: Self::Output,
    ) -> impl Future<Output = Result<(), TaskError>> + Send;

    /// Undoes a visit that was open when the run turned around: the task may have done all of its
    /// work, some or none, and there is no output. By default there is nothing to do.
    ///
    /// [`Ctx::idempotency_key`] of the forward action can be had from here as
    /// [`Ctx::do_idempotency_key`]: a service that keeps it can say what came of the request.
    ///
    /// # Errors
    ///
    /// As [`compensate`](Self::compensate).
    fn compensate_in_doubt(&self, ctx: Ctx) -> impl Future<Output = Result<(), TaskError>> + Send {
        let _ = ctx;
        async { Ok(()) }
    }
}

/// A state's forward action in steps, with a durable cursor after each.
///
/// A crash repeats at most the step that was under way. The cursor belongs to one visit: when a
/// loop comes back to the state, the first step is given `None` again.
pub trait SteppedTask<S: State>: Send + Sync + 'static {
    /// Where the task stands, serialized as JSON.
    type Cursor: Serialize + DeserializeOwned + Send + 'static;

    /// Does the step after `cursor`.
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

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome<C, S> {
    /// There is more to do, from this cursor on.
    More(C),
    /// The task is done; this is the state to enter.
    Done(S),
}
