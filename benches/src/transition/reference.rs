//! The side of the reference crate.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use cano::prelude::{CanoError, Resources, Task, TaskResult, Workflow};
use cano::recovery::{CheckpointRow, CheckpointStore};

use crate::transition::TRANSITIONS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lap {
    Round,
    Done,
}

struct Round {
    left: AtomicU32,
}

#[cano::task]
impl Task<Lap> for Round {
    async fn run_bare(&self) -> Result<TaskResult<Lap>, CanoError> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            self.left.store(TRANSITIONS - 1, Ordering::Relaxed);
            return Ok(TaskResult::Single(Lap::Done));
        }
        self.left.store(left - 1, Ordering::Relaxed);
        Ok(TaskResult::Single(Lap::Round))
    }

    fn name(&self) -> std::borrow::Cow<'static, str> {
        "round".into()
    }
}

/// The reference crate, with its workflow.
#[expect(missing_debug_implementations, reason = "its workflow has none")]
pub struct Peer {
    workflow: Workflow<Lap>,
}

impl Peer {
    /// Without a store.
    pub fn without_store() -> Self {
        let round = Round {
            left: AtomicU32::new(TRANSITIONS - 1),
        };
        let workflow = Workflow::new(Resources::new())
            .register(Lap::Round, round)
            .add_exit_state(Lap::Done);
        Self { workflow }
    }

    /// With one in memory.
    pub fn with_memory_store() -> Self {
        let Self { workflow } = Self::without_store();
        let workflow = workflow
            .with_checkpoint_store(Arc::new(MemoryStore::default()))
            .with_workflow_id("laps-1");
        Self { workflow }
    }

    /// A run from its beginning to its end.
    ///
    /// # Panics
    ///
    /// Where it ends otherwise.
    pub async fn run(&self) {
        let end = self.workflow.orchestrate(Lap::Round).await;
        assert_eq!(end.expect("the run ends"), Lap::Done);
    }
}

/// Built as the engine's own memory store is, so that the stores cost the same.
#[derive(Default)]
struct MemoryStore {
    runs: Mutex<BTreeMap<String, BTreeMap<u64, CheckpointRow>>>,
}

#[cano::checkpoint_store]
impl CheckpointStore for MemoryStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), CanoError> {
        let mut runs = self.runs.lock().expect("nobody panics with the lock");
        let rows = match runs.get_mut(workflow_id) {
            Some(rows) => rows,
            None => runs.entry(workflow_id.to_owned()).or_default(),
        };
        match rows.entry(row.sequence) {
            Entry::Occupied(_) => Err(CanoError::checkpoint_store("the sequence is taken")),
            Entry::Vacant(slot) => {
                slot.insert(row);
                Ok(())
            }
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, CanoError> {
        let runs = self.runs.lock().expect("nobody panics with the lock");
        let rows = runs.get(workflow_id);
        Ok(rows.map_or_else(Vec::new, |rows| rows.values().cloned().collect()))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), CanoError> {
        let mut runs = self.runs.lock().expect("nobody panics with the lock");
        runs.remove(workflow_id);
        Ok(())
    }
}
