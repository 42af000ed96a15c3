//! A hook for the simulator before every task of a workflow.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::core::Performed;
use crate::task::handler::{Call, Handler};
use crate::task::{Ctx, TaskError};

/// The result of an attempt of a task.
pub type Attempted<'a> = BoxFuture<'a, Result<Performed, TaskError>>;

/// A hook before every task of a workflow: it may let an attempt happen, fail it before or after,
/// let it happen twice, or never answer.
pub trait Interposer: Send + Sync + 'static {
    /// Performs an attempt. Each call of `attempt` begins the task's own code once.
    fn interpose<'a>(
        &'a self,
        ctx: Ctx,
        attempt: Box<dyn Fn() -> Attempted<'a> + Send + Sync + 'a>,
    ) -> Attempted<'a>;
}

/// A task with something before it.
pub(crate) struct Interposed {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) interposer: Arc<dyn Interposer>,
}

impl Handler for Interposed {
    fn call(&self, ctx: Ctx, call: Call) -> Attempted<'_> {
        let own = ctx.clone();
        let attempt = Box::new(move || self.handler.call(own.clone(), call.clone()));
        self.interposer.interpose(ctx, attempt)
    }
}
