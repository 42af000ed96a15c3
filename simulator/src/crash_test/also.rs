//! Further runs of a crash test, over the same world.

use std::sync::Arc;

use crashpoint::State;
use crashpoint::protocol::Definition;
use futures_util::future::BoxFuture;

use crate::crash_test::program::Program;
use crate::history::LifeEnd;
use crate::sim::{Process, Subject};

/// A run beside the first, of any workflow.
pub(super) struct AlsoRun<W>(Arc<dyn InWorld<W>>);

/// A program, whatever its type of states.
trait InWorld<W>: Send + Sync {
    fn definition(&self, world: &Arc<W>) -> Definition;

    fn in_world(&self, world: &Arc<W>) -> Box<dyn Subject>;
}

impl<S: State, W: Send + Sync + 'static> InWorld<W> for Program<S, W> {
    fn definition(&self, world: &Arc<W>) -> Definition {
        self.definition(world)
    }

    fn in_world(&self, world: &Arc<W>) -> Box<dyn Subject> {
        self.in_world(world, None)
    }
}

impl<W: Send + Sync + 'static> AlsoRun<W> {
    pub(super) fn of<S: State>(program: Program<S, W>) -> Self {
        Self(Arc::new(program))
    }

    pub(super) fn definition(&self, world: &Arc<W>) -> Definition {
        self.0.definition(world)
    }

    pub(super) fn in_world(&self, world: &Arc<W>) -> Box<dyn Subject> {
        self.0.in_world(world)
    }
}

impl<W> Clone for AlsoRun<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Several runs as one subject: each process has its run.
pub(super) struct SeveralRuns(pub(super) Vec<Box<dyn Subject>>);

impl SeveralRuns {
    fn of(&self, process: &Process) -> &dyn Subject {
        &*self.0[process.run()]
    }
}

impl Subject for SeveralRuns {
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.of(process).start(process)
    }

    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.of(process).resume(process)
    }
}
