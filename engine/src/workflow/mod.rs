//! What a user defines: states, a task for each, exits, policies.

mod build;
mod builder;
mod graph;
mod state;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::core::Definition;
use crate::task::Handler;

pub use build::BuildError;
pub use builder::WorkflowBuilder;
pub use state::State;
pub(crate) use state::index_of;

/// A validated definition: made by [`Workflow::builder`], cheap to clone, good for any number of
/// runs and engines.
pub struct Workflow<S> {
    flow: Arc<Flow>,
    states: PhantomData<fn() -> S>,
}

/// A definition and the tasks behind it, with the user's types erased.
pub(crate) struct Flow {
    pub(crate) definition: Definition,
    /// By the index of the state; none for an exit.
    pub(crate) handlers: Vec<Option<Box<dyn Handler>>>,
}

impl<S: State> Workflow<S> {
    /// Starts a definition. Runs carry `name` and `version` for as long as they live.
    pub fn builder(name: &str, version: u32) -> WorkflowBuilder<S> {
        WorkflowBuilder::new(name, version)
    }

    /// The workflow's name.
    pub fn name(&self) -> &str {
        &self.flow.definition.name
    }

    /// The version that new runs carry.
    pub fn version(&self) -> u32 {
        self.flow.definition.version
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
