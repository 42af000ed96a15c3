//! The builder of a workflow; `build.rs` validates the draft.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Policy, RetryPolicy, TaskKind};
use crate::state::{State, index_of};
use crate::task::{
    Compensatable, CompensatableTask, Handler, Plain, PollTask, Polling, Producing, Router,
    Routing, Stepped, SteppedTask, Task, TaskWithOutput, Timer, Waiting, readable,
};
use crate::workflow::Workflow;
use crate::workflow::build::{self, BuildError};
use crate::workflow::draft::{Draft, TaskDraft};

/// Builds a [`Workflow`]. [`to`](Self::to), [`retry`](Self::retry),
/// [`undo_retry`](Self::undo_retry), [`attempt_timeout`](Self::attempt_timeout) and
/// [`poll_limit`](Self::poll_limit) apply to the task added last.
///
/// ```
/// use std::time::Duration;
///
/// use crashpoint::{Ctx, RetryPolicy, State, TaskError, Workflow};
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Mail { Send, Sent }
///
/// async fn send(_ctx: Ctx) -> Result<Mail, TaskError> {
///     Ok(Mail::Sent)
/// }
///
/// let workflow = Workflow::builder("mail", 2)
///     .accepts([1])
///     .task(Mail::Send, "send", send)
///     .to([Mail::Sent])
///     .retry(RetryPolicy::fixed(3, Duration::from_secs(1)))
///     .attempt_timeout(Duration::from_secs(30))
///     .exit(Mail::Sent)
///     .build()?;
/// assert_eq!((workflow.name(), workflow.version()), ("mail", 2));
/// # Ok::<(), crashpoint::BuildError>(())
/// ```
#[must_use = "a definition is made by `build`"]
pub struct WorkflowBuilder<S> {
    pub(super) draft: Draft,
    states: PhantomData<fn() -> S>,
}

impl<S: State> WorkflowBuilder<S> {
    pub(super) fn new(name: &str, version: u32) -> Self {
        let draft = Draft {
            name: name.to_owned(),
            version,
            accepts: BTreeSet::new(),
            starts: None,
            tasks: Vec::new(),
            exits: Vec::new(),
            misplaced: None,
        };
        Self {
            draft,
            states: PhantomData,
        }
    }

    /// This definition can resume runs of these older versions.
    pub fn accepts(mut self, versions: impl IntoIterator<Item = u32>) -> Self {
        self.draft.accepts.extend(versions);
        self
    }

    /// The states in which a run may begin. By default, that is any state with a task, and
    /// reachability is checked from the state of the first task.
    pub fn starts(mut self, states: impl IntoIterator<Item = S>) -> Self {
        self.draft
            .starts
            .get_or_insert_default()
            .extend(states.into_iter().map(index_of));
        self
    }

    /// Gives `state` a plain task, under a name that the log keeps.
    pub fn task(self, state: S, name: &str, task: impl Task<S>) -> Self {
        self.handled(
            state,
            name,
            TaskKind::Plain,
            |_| Ok(()),
            Arc::new(Plain::new(task)),
        )
    }

    /// Gives `state` a plain task that leaves an output, under a name that the log keeps.
    pub fn task_with_output<T: TaskWithOutput<S>>(self, state: S, name: &str, task: T) -> Self {
        let handler = Arc::new(Producing::new(task));
        self.handled(state, name, TaskKind::Plain, readable::<T::Output>, handler)
    }

    /// Gives `state` a router, under a name that the log keeps.
    pub fn router(self, state: S, name: &str, router: impl Router<S>) -> Self {
        let handler = Arc::new(Routing::new(router));
        self.handled(state, name, TaskKind::Router, |_| Ok(()), handler)
    }

    /// Gives `state` a timer, under a name that the log keeps. When it ends, the run enters `next`.
    pub fn timer(self, state: S, name: &str, timer: Timer, next: S) -> Self {
        let handler = Arc::new(Waiting(timer));
        let timed = self.handled(state, name, TaskKind::Timer, |_| Ok(()), handler);
        timed.to([next])
    }

    /// Gives `state` a polling task, under a name that the log keeps.
    pub fn poll(self, state: S, name: &str, task: impl PollTask<S>) -> Self {
        let handler = Arc::new(Polling::new(task));
        self.handled(state, name, TaskKind::Poll, |_| Ok(()), handler)
    }

    /// Gives `state` a compensatable task, under a name that the log keeps.
    pub fn compensatable<T: CompensatableTask<S>>(self, state: S, name: &str, task: T) -> Self {
        let handler = Arc::new(Compensatable::new(task));
        self.handled(
            state,
            name,
            TaskKind::Compensatable,
            readable::<T::Output>,
            handler,
        )
    }

    /// Gives `state` a stepped task, under a name that the log keeps.
    pub fn stepped<T: SteppedTask<S>>(self, state: S, name: &str, task: T) -> Self {
        let handler = Arc::new(Stepped::new(task));
        self.handled(
            state,
            name,
            TaskKind::Stepped,
            readable::<T::Cursor>,
            handler,
        )
    }

    fn handled(
        mut self,
        state: S,
        name: &str,
        kind: TaskKind,
        readable: fn(&[u8]) -> Result<(), String>,
        handler: Arc<dyn Handler>,
    ) -> Self {
        self.draft.tasks.push(TaskDraft {
            state: index_of(state),
            name: name.to_owned(),
            kind,
            edges: None,
            policy: Policy::default(),
            readable,
            handler,
        });
        self
    }

    /// The states that may follow the task added last; further calls add more. The engine enforces
    /// them: a task that returns another state fails for good. By default any state may follow.
    pub fn to(self, states: impl IntoIterator<Item = S>) -> Self {
        self.amend("to", |task| {
            task.edges
                .get_or_insert_default()
                .extend(states.into_iter().map(index_of));
        })
    }

    /// The retry policy of the task added last; a single attempt by default.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.amend("retry", |task| task.policy.retry = retry)
    }

    /// The retry policy of the compensation of the task added last; a single attempt by default.
    pub fn undo_retry(self, retry: RetryPolicy) -> Self {
        self.amend("undo_retry", |task| task.policy.undo_retry = retry)
    }

    /// The time limit of each attempt, step and compensation of the task added last; none by
    /// default.
    pub fn attempt_timeout(self, limit: Duration) -> Self {
        self.amend("attempt_timeout", |task| {
            task.policy.attempt_timeout = Some(limit);
        })
    }

    /// The time limit of a visit of the polling task added last; none by default. No round begins later;
    /// the run rolls back with a timeout as its cause.
    ///
    /// The deadline of the visit is durable before its first round: a later life keeps it, and so does a
    /// release with another limit.
    pub fn poll_limit(self, limit: Duration) -> Self {
        self.amend("poll_limit", |task| task.policy.poll_limit = Some(limit))
    }

    fn amend(mut self, method: &'static str, change: impl FnOnce(&mut TaskDraft)) -> Self {
        match self.draft.tasks.last_mut() {
            Some(task) => change(task),
            None => _ = self.draft.misplaced.get_or_insert(method),
        }
        self
    }

    /// Makes `state` an exit: entering it ends the run.
    pub fn exit(mut self, state: S) -> Self {
        self.draft.exits.push(index_of(state));
        self
    }

    /// Validates the definition.
    ///
    /// # Errors
    ///
    /// Names the first thing that is missing, duplicate or unreachable.
    pub fn build(self) -> Result<Workflow<S>, BuildError> {
        let flow = build::validated::<S>(self.draft)?;
        Ok(Workflow {
            flow: Arc::new(flow),
            states: PhantomData,
        })
    }
}

impl<S> std::fmt::Debug for WorkflowBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Draft { name, version, .. } = &self.draft;
        f.debug_struct("WorkflowBuilder")
            .field("name", name)
            .field("version", version)
            .finish_non_exhaustive()
    }
}
