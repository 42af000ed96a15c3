//! Definitions of workflows: states with tasks, exits, policies.

mod build;
mod builder;
mod draft;
mod graph;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::core::Definition;
use crate::state::State;
use crate::task::{Handler, Interposed, Interposer};

pub use build::BuildError;
pub use builder::WorkflowBuilder;

/// A validated workflow. [`Workflow::builder`] makes it; it is cheap to clone and serves any number
/// of runs and engines.
pub struct Workflow<S> {
    flow: Arc<Flow>,
    states: PhantomData<fn() -> S>,
}

/// A definition and the tasks behind it, with the user's types erased.
pub(crate) struct Flow {
    pub(crate) definition: Definition,
    /// By the index of the state; none for an exit.
    pub(crate) handlers: Vec<Option<Arc<dyn Handler>>>,
}

impl Flow {
    /// A definition with its tasks.
    ///
    /// # Panics
    ///
    /// If a state has a task but no handler, or a handler but no task.
    fn new(definition: Definition, handlers: Vec<Option<Arc<dyn Handler>>>) -> Self {
        assert_eq!(
            handlers.len(),
            definition.states.len(),
            "each state has a place for its handler"
        );
        for (state, handler) in handlers.iter().enumerate() {
            let task = definition.task(state);
            assert_eq!(
                handler.is_some(),
                task.is_some(),
                "state {state} has a handler if it has a task"
            );
            let edges = task
                .into_iter()
                .flat_map(|task| task.edges.iter().flatten());
            for edge in edges {
                assert!(
                    *edge < definition.states.len(),
                    "an edge leads to a state of the same enum"
                );
            }
        }
        for start in definition.starts.iter().flatten() {
            assert!(
                definition.task(*start).is_some(),
                "a start that is an exit was refused"
            );
        }
        Self {
            definition,
            handlers,
        }
    }
}

impl<S: State> Workflow<S> {
    /// Starts a definition. Every run keeps `name` and `version` in its log.
    pub fn builder(name: &str, version: u32) -> WorkflowBuilder<S> {
        WorkflowBuilder::new(name, version)
    }

    /// The workflow's name.
    pub fn name(&self) -> &str {
        &self.flow.definition.name
    }

    /// The version of new runs.
    pub fn version(&self) -> u32 {
        self.flow.definition.version
    }

    /// The same workflow with `interposer` before every task, for instruments.
    #[doc(hidden)]
    #[must_use]
    pub fn interposed(&self, interposer: &Arc<dyn Interposer>) -> Self {
        let interpose = |handler: &Arc<dyn Handler>| {
            let (handler, interposer) = (Arc::clone(handler), Arc::clone(interposer));
            Arc::new(Interposed {
                handler,
                interposer,
            }) as Arc<dyn Handler>
        };
        let handlers = self.flow.handlers.iter();
        let handlers = handlers.map(|handler| handler.as_ref().map(interpose));
        let flow = Flow::new(self.flow.definition.clone(), handlers.collect());
        Self {
            flow: Arc::new(flow),
            states: PhantomData,
        }
    }

    pub(crate) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// The definition as the pure machine sees it, for instruments.
    #[doc(hidden)]
    pub fn definition(&self) -> &Definition {
        &self.flow.definition
    }
}

impl<S> Clone for Workflow<S> {
    fn clone(&self) -> Self {
        Self {
            flow: Arc::clone(&self.flow),
            states: PhantomData,
        }
    }
}

impl<S> std::fmt::Debug for Workflow<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workflow")
            .field("definition", &self.flow.definition)
            .finish_non_exhaustive()
    }
}
