//! The engine's side.

use std::sync::atomic::{AtomicU32, Ordering};

use crashpoint::{
    CheckpointStore, Ctx, Engine, Outcome, Retention, State, Task, TaskError, Workflow,
};

use crate::transition::TRANSITIONS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Lap {
    Round,
    Done,
}

struct Round {
    left: AtomicU32,
}

impl Task<Lap> for Round {
    async fn run(&self, _: Ctx) -> Result<Lap, TaskError> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            self.left.store(TRANSITIONS - 1, Ordering::Relaxed);
            return Ok(Lap::Done);
        }
        self.left.store(left - 1, Ordering::Relaxed);
        Ok(Lap::Round)
    }
}

/// The engine, with its workflow.
#[derive(Debug)]
pub struct Peer {
    engine: Engine,
    workflow: Workflow<Lap>,
}

impl Peer {
    /// Keeps the logs.
    pub fn keeping(store: impl CheckpointStore) -> Self {
        Self::with(Engine::new(store))
    }

    /// Clears each log at the end.
    ///
    /// # Panics
    ///
    /// Where the store is not held exclusively.
    pub fn clearing(store: impl CheckpointStore) -> Self {
        let engine = Engine::new(store).with_retention(Retention::ClearWhenDone);
        Self::with(engine.expect("the store is held exclusively"))
    }

    fn with(engine: Engine) -> Self {
        let round = Round {
            left: AtomicU32::new(TRANSITIONS - 1),
        };
        let workflow = Workflow::builder("laps", 1)
            .task(Lap::Round, "round", round)
            .exit(Lap::Done)
            .build();
        Self {
            engine,
            workflow: workflow.expect("the definition is valid"),
        }
    }

    /// A run from its beginning to its end.
    ///
    /// # Panics
    ///
    /// Where it ends otherwise.
    pub async fn run(&self) {
        let outcome = self.engine.run(&self.workflow, "laps-1", Lap::Round, &());
        let outcome = outcome.await.expect("the run ends");
        assert_eq!(outcome, Outcome::Done(Lap::Done));
    }
}
