//! The fluent half of a definition; `build.rs` validates what was said.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::core::{Policy, RetryPolicy, TaskKind};
use crate::state::{State, index_of};
use crate::task::{
    Compensatable, CompensatableTask, Handler, Plain, Stepped, SteppedTask, Task, readable,
};
use crate::workflow::Workflow;
use crate::workflow::build::{self, BuildError};
use crate::workflow::draft::{Draft, TaskDraft};

/// Collects a definition. [`to`](Self::to), [`retry`](Self::retry), [`undo_retry`](Self::undo_retry)
/// and [`attempt_timeout`](Self::attempt_timeout) speak of the task named last.
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

    /// Runs of these older versions can be gone on with under this definition.
    pub fn accepts(mut self, versions: impl IntoIterator<Item = u32>) -> Self {
        self.draft.accepts.extend(versions);
        self
    }

    /// The states in which a run may begin. Without this any state with a task may be the first,
    /// and reachability is checked from the state whose task was named first.
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

    /// The states that may follow the task named last; more calls add to them. Where this is said,
    /// it is enforced: a task that names another state has failed for good.
    pub fn to(self, states: impl IntoIterator<Item = S>) -> Self {
        self.amend("to", |task| {
            task.edges
                .get_or_insert_default()
                .extend(states.into_iter().map(index_of));
        })
    }

    /// How often the forward action of the task named last is attempted; once without this.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.amend("retry", |task| task.policy.retry = retry)
    }

    /// How often the compensation of the task named last is attempted; once without this.
    pub fn undo_retry(self, retry: RetryPolicy) -> Self {
        self.amend("undo_retry", |task| task.policy.undo_retry = retry)
    }

    /// The longest that one attempt, step or undo of the task named last may take; without this
    /// there is no limit.
    pub fn attempt_timeout(self, limit: Duration) -> Self {
        self.amend("attempt_timeout", |task| {
            task.policy.attempt_timeout = Some(limit);
        })
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
    /// Names the first thing that is missing, doubled or unreachable.
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
