//! The parts that outlive a worker: the receiver of its effects, and its activity when it was
//! killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crashpoint::Direction;
use crashpoint::{CheckpointRow, CheckpointStore, Error, Outcome, checkpoint_store};
use crashpoint_simulator::madsim_lane::RemoteStore;

use crate::order::Order;

/// A receiver whose operations are idempotent; an undo also voids the key.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    present: BTreeMap<String, &'static str>,
    voided: BTreeSet<String>,
    /// Repeated requests, which the keys make harmless.
    pub(crate) repeats: u32,
}

impl Ledger {
    pub(crate) fn perform(&mut self, key: String, effect: &'static str) -> Result<(), String> {
        if self.voided.contains(&key) {
            return Err(format!("the key of {effect} is void"));
        }
        let before = self.present.insert(key, effect);
        self.repeats += u32::from(before.is_some());
        Ok(())
    }

    pub(crate) fn undo(&mut self, key: String) {
        self.present.remove(&key);
        self.repeats += u32::from(!self.voided.insert(key));
    }

    /// The effects that are present, one for each key, sorted by name.
    pub(crate) fn present(&self) -> Vec<&'static str> {
        let mut effects: Vec<_> = self.present.values().copied().collect();
        effects.sort_unstable();
        effects
    }
}

/// The activity of the worker.
#[derive(Debug, Clone, Default)]
pub(crate) enum Activity {
    /// Starting, loading or waiting.
    #[default]
    Other,
    /// Waiting for the store's answer to this append.
    Appending(CheckpointRow),
    /// Within a task, before or after its effect.
    Acting {
        direction: Direction,
        effected: bool,
    },
}

/// The result of the worker: an outcome, or an unexpected error.
pub(crate) type Ending = Result<Outcome<Order>, String>;

#[derive(Debug, Default)]
pub(crate) struct World {
    ledger: Mutex<Ledger>,
    activity: Mutex<Activity>,
    outcome: Mutex<Option<Ending>>,
}

impl World {
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    pub(crate) fn set_activity(&self, activity: Activity) {
        *locked(&self.activity) = activity;
    }

    pub(crate) fn activity(&self) -> Activity {
        locked(&self.activity).clone()
    }

    pub(crate) fn end(&self, ending: Ending) {
        *locked(&self.outcome) = Some(ending);
    }

    pub(crate) fn outcome(&self) -> Option<Ending> {
        locked(&self.outcome).clone()
    }
}

/// The worker's store: observes the remote store.
pub(crate) struct Watched {
    pub(crate) remote: RemoteStore,
    pub(crate) world: Arc<World>,
}

#[checkpoint_store]
impl CheckpointStore for Watched {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        self.world.set_activity(Activity::Appending(row.clone()));
        let answer = self.remote.append(workflow_id, row).await;
        self.world.set_activity(Activity::Other);
        answer
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.remote.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.remote.clear(workflow_id).await
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
