//! A workflow as its author gives it to a test, and how it begins a run.

use std::sync::Arc;

use crashpoint::protocol::{Definition, Faithful, Rule, Rules, Without};
use crashpoint::{Retention, State, Workflow};
use serde::Serialize;
use serde_json::Value;

use crate::sim::{Process, Subject};
use crate::workload::engine_subject::EngineSubject;

/// A workflow whose tasks act on a world `W`, and how it begins a run.
pub(super) struct Program<S, W> {
    start: S,
    input: Value,
    workflow: Factory<S, W>,
}

/// Creates the workflow for a simulated process.
type Factory<S, W> = Arc<dyn Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync>;

impl<S: State, W: Send + Sync + 'static> Program<S, W> {
    /// # Panics
    ///
    /// If `input` cannot be serialized as JSON.
    #[track_caller]
    pub(super) fn new(
        start: S,
        input: &(impl Serialize + ?Sized),
        workflow: impl Fn(&Process, &Arc<W>) -> Workflow<S> + Send + Sync + 'static,
    ) -> Self {
        Self {
            start,
            input: serde_json::to_value(input).expect("the input of a run is serializable"),
            workflow: Arc::new(workflow),
        }
    }

    /// The definition of the workflow, created outside of any simulation.
    pub(super) fn definition(&self, world: &Arc<W>) -> Definition {
        let workflow = (self.workflow)(&Process::detached(), world);
        workflow.definition().clone()
    }

    /// The workflow in a world, run by an engine that breaks this rule, if any.
    pub(super) fn in_world(&self, world: &Arc<W>, broken: Option<Rule>) -> Box<dyn Subject> {
        match broken {
            None => self.under(world, Faithful),
            Some(rule) => self.under(world, Without(rule)),
        }
    }

    fn under<R: Rules>(&self, world: &Arc<W>, rules: R) -> Box<dyn Subject> {
        let (own, workflow) = (Arc::clone(world), Arc::clone(&self.workflow));
        Box::new(EngineSubject {
            workflow: Arc::new(move |process| workflow(process, &own)),
            start: self.start,
            input: self.input.clone(),
            retention: Retention::Keep,
            rules,
        })
    }
}

impl<S: Clone, W> Clone for Program<S, W> {
    fn clone(&self) -> Self {
        Self {
            start: self.start.clone(),
            input: self.input.clone(),
            workflow: Arc::clone(&self.workflow),
        }
    }
}
