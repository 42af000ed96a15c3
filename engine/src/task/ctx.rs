//! The context of a task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::cancel::CancelToken;
use crate::core::{Direction, Label, Nonce, idempotency_key};
use crate::runtime::Runtime;
use crate::task::{RunData, TaskError};

/// The context of a task: identity, durable data, keys for outside effects, and time.
///
/// It is owned and cheap to clone. Its durable data is the same in every life.
#[derive(Clone)]
pub struct Ctx {
    life: Arc<LifeContext>,
    action: Arc<Action>,
}

/// The part of the context that all actions of a life share.
pub(crate) struct LifeContext {
    pub(crate) workflow_id: Arc<str>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) cancel: CancelToken,
    pub(crate) fenced: AtomicBool,
}

/// An action of a life.
#[derive(Debug, Clone)]
pub(crate) struct Action {
    pub(crate) run_id: Nonce,
    pub(crate) fencing_token: u64,
    pub(crate) data: RunData,
    pub(crate) state: Label,
    pub(crate) task: Label,
    pub(crate) visit: u64,
    pub(crate) cursors: u64,
    /// The number of the round, from 1; 0 unless the task polls.
    pub(crate) round: u64,
    pub(crate) direction: Direction,
    pub(crate) attempt: u32,
    /// The keys of the forward action and of its compensation, once somebody has asked.
    pub(crate) keys: [OnceLock<String>; 2],
}

impl Ctx {
    pub(crate) fn new(life: Arc<LifeContext>, action: Action) -> Self {
        assert!(action.attempt > 0, "attempts are counted from 1");
        assert!(
            action.direction == Direction::Do || action.cursors == 0,
            "a step is never undone"
        );
        Self {
            life,
            action: Arc::new(action),
        }
    }

    /// The id of the run.
    pub fn workflow_id(&self) -> &str {
        &self.life.workflow_id
    }

    /// The label of the task's state.
    pub fn state(&self) -> &str {
        &self.action.state
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.action.task
    }

    /// The visit: the sequence of the row that entered the state. A compensation has the visit that
    /// it undoes.
    pub fn visit(&self) -> u64 {
        self.action.visit
    }

    /// The number of durable steps of this visit; 0 unless the task is stepped.
    pub fn step(&self) -> u64 {
        self.action.cursors
    }

    /// The number of the round of this visit, from 1; 0 unless the task polls. The number of rounds is durable
    /// when it reaches 4, and each time that it has doubled since. A later life goes on from there.
    pub fn round(&self) -> u64 {
        self.action.round
    }

    /// The forward action or the compensation.
    pub fn direction(&self) -> Direction {
        self.action.direction
    }

    /// The number of the attempt, from 1. A resume starts the count again.
    pub fn attempt(&self) -> u32 {
        self.action.attempt
    }

    /// The idempotency key of this action: 64 hexadecimal digits.
    ///
    /// The key is the same whenever this action runs again, in any life. Every other action, visit,
    /// step and run has another key. With a receiver that performs a request once for each key, the
    /// effect happens exactly once.
    pub fn idempotency_key(&self) -> String {
        self.key(self.action.direction)
    }

    /// The [`idempotency_key`](Self::idempotency_key) of the forward action of this visit. In a
    /// compensation, that is the key of the action to undo.
    pub fn do_idempotency_key(&self) -> String {
        self.key(Direction::Do)
    }

    fn key(&self, direction: Direction) -> String {
        let Action {
            run_id,
            visit,
            task,
            cursors,
            keys,
            ..
        } = &*self.action;
        let key = || {
            let workflow_id = &self.life.workflow_id;
            idempotency_key(workflow_id, *run_id, *visit, task, *cursors, direction)
        };
        keys[direction as usize].get_or_init(key).clone()
    }

    /// The fencing token: the sequence of this life's claim. Every later life has a higher token. A
    /// receiver that refuses tokens below the highest it has seen is safe from overtaken lives.
    pub fn fencing_token(&self) -> u64 {
        self.action.fencing_token
    }

    /// The input of the run.
    ///
    /// # Errors
    ///
    /// [`TaskError::Fatal`] if the input can't be deserialized as `I`.
    pub fn input<I: DeserializeOwned>(&self) -> Result<I, TaskError> {
        self.action.data.input()
    }

    /// The newest output of the task `task`, plain or compensatable.
    ///
    /// # Errors
    ///
    /// [`TaskError::Fatal`] if no task of this name has left an output, or its output can't be
    /// deserialized as `O`.
    pub fn output<O: DeserializeOwned>(&self, task: &str) -> Result<O, TaskError> {
        self.action.data.output(task)
    }

    pub(crate) fn data(&self) -> &RunData {
        &self.action.data
    }

    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.life.runtime
    }

    /// Waits on the clock of the engine's runtime. In a simulation that time is virtual.
    ///
    /// The wait is not durable. After a crash the task runs again, and waits for the whole `duration`
    /// again. A wait that has to keep its end is a state: see [`Timer`](crate::Timer).
    pub async fn sleep(&self, duration: Duration) {
        self.life.runtime.sleep(duration).await;
    }

    /// The wall clock of the engine's runtime, in milliseconds since 1970-01-01 UTC.
    pub fn unix_ms(&self) -> u64 {
        self.life.runtime.unix_ms()
    }

    /// Whether this life knows that another life has taken the run over. Code that outlives its
    /// task, such as a spawned task, must then start no further effect.
    pub fn is_fenced(&self) -> bool {
        self.life.fenced.load(Ordering::Acquire)
    }

    /// Whether the run's cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.life.cancel.is_cancelled()
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("workflow_id", &self.life.workflow_id)
            .field("task", &self.action.task)
            .field("visit", &self.action.visit)
            .field("direction", &self.action.direction)
            .field("attempt", &self.action.attempt)
            .finish_non_exhaustive()
    }
}
