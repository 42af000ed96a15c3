//! Tasks with their types erased: the driver knows indices and bytes, never a user's types.

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::core::{Bytes, Performed};
use crate::foreign::{contained, panicked};
use crate::state::{State, index_of};
use crate::task::{
    CompensatableTask, Ctx, PollOutcome, PollTask, Router, StepOutcome, SteppedTask, Task,
    TaskError, TaskWithOutput, Timer,
};

/// A task with its types erased.
pub(crate) trait Handler: Send + Sync {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>>;
}

/// A request to a task.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// The forward action; a stepped task gets its cursor.
    Do(Option<Bytes>),
    /// The compensation, with the output; none for a visit of unknown outcome.
    Undo(Option<Bytes>),
}

pub(crate) struct Plain<T, S>(T, std::marker::PhantomData<fn() -> S>);
pub(crate) struct Producing<T, S>(T, std::marker::PhantomData<fn() -> S>);
pub(crate) struct Routing<T, S>(T, std::marker::PhantomData<fn() -> S>);
pub(crate) struct Polling<T, S>(T, std::marker::PhantomData<fn() -> S>);
pub(crate) struct Waiting(pub(crate) Timer);
pub(crate) struct Compensatable<T, S>(T, std::marker::PhantomData<fn() -> S>);
pub(crate) struct Stepped<T, S>(T, std::marker::PhantomData<fn() -> S>);

macro_rules! constructors {
    ($($handler:ident),*) => {$(
        impl<T, S> $handler<T, S> {
            pub(crate) fn new(task: T) -> Self {
                Self(task, std::marker::PhantomData)
            }
        }
    )*};
}

constructors!(Plain, Producing, Routing, Polling, Compensatable, Stepped);

impl<S: State, T: Task<S>> Handler for Plain<T, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(None) = call else {
                unreachable!("a plain task can't {call:?}")
            };
            Ok(completed(self.0.run(ctx).await?, None))
        })
    }
}

impl<S: State, T: TaskWithOutput<S>> Handler for Producing<T, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(None) = call else {
                unreachable!("a plain task can't {call:?}")
            };
            let (next, output) = self.0.run(ctx).await?;
            Ok(completed(next, Some(encode(&output, "output")?)))
        })
    }
}

impl<S: State, R: Router<S>> Handler for Routing<R, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(None) = call else {
                unreachable!("a router can't {call:?}")
            };
            Ok(completed(self.0.route(ctx.data())?, None))
        })
    }
}

impl<S: State, T: PollTask<S>> Handler for Polling<T, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(None) = call else {
                unreachable!("a polling task can't {call:?}")
            };
            Ok(match self.0.poll(ctx).await? {
                PollOutcome::Ready(next) => completed(next, None),
                PollOutcome::Pending(delay) => Performed::Pending { delay },
            })
        })
    }
}

impl Handler for Waiting {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(None) = call else {
                unreachable!("a timer can't {call:?}")
            };
            let deadline_unix_ms = self.0.deadline_unix_ms(ctx.data(), ctx.runtime())?;
            Ok(Performed::Waits { deadline_unix_ms })
        })
    }
}

impl<S: State, T: CompensatableTask<S>> Handler for Compensatable<T, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            match call {
                Call::Do(None) => {
                    let (next, output) = self.0.run(ctx).await?;
                    Ok(completed(next, Some(encode(&output, "output")?)))
                }
                Call::Do(Some(_)) => unreachable!("a compensatable task has no cursor"),
                Call::Undo(Some(output)) => {
                    self.0.compensate(ctx, decode(&output, "output")?).await?;
                    Ok(Performed::Undone)
                }
                Call::Undo(None) => {
                    self.0.compensate_in_doubt(ctx).await?;
                    Ok(Performed::Undone)
                }
            }
        })
    }
}

impl<S: State, T: SteppedTask<S>> Handler for Stepped<T, S> {
    fn call(&self, ctx: Ctx, call: Call) -> BoxFuture<'_, Result<Performed, TaskError>> {
        Box::pin(async move {
            let Call::Do(cursor) = call else {
                unreachable!("a stepped task can't {call:?}")
            };
            let cursor = cursor.map(|bytes| decode(&bytes, "cursor")).transpose()?;
            match self.0.step(ctx, cursor).await? {
                StepOutcome::More(cursor) => Ok(Performed::Stepped {
                    cursor: encode(&cursor, "cursor")?,
                }),
                StepOutcome::Done(next) => Ok(completed(next, None)),
            }
        })
    }
}

fn completed<S: State>(next: S, output: Option<Bytes>) -> Performed {
    Performed::Completed {
        next: index_of(next),
        output,
    }
}

/// Serializes a value for the log, and reads it back at once. A value that can't be read back, such as
/// a float that is not a number, must fail its task and not the task or the undo that needs it.
fn encode<T: Serialize + DeserializeOwned>(value: &T, what: &str) -> Result<Bytes, TaskError> {
    let bytes = serde_json::to_vec(value).map_err(|error| unserializable(what, &error))?;
    decode::<T>(&bytes, what)?;
    Ok(bytes.into())
}

/// Says why bytes of a log can't be read as `T`. The value is dropped within the containment, too.
pub(crate) fn readable<T: DeserializeOwned>(bytes: &[u8]) -> Result<(), String> {
    let read = contained(|| serde_json::from_slice::<T>(bytes).map(drop));
    let read = read.map_err(|words| panicked(&words))?;
    read.map_err(|error| error.to_string())
}

fn decode<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, TaskError> {
    serde_json::from_slice(bytes).map_err(|error| unserializable(what, &error))
}

fn unserializable(what: &str, error: &serde_json::Error) -> TaskError {
    TaskError::unserializable(format!(
        "the {what} can't be serialized or read back: {error}"
    ))
}
