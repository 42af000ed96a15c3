//! The outputs of plain tasks.
//!
//! Nothing undoes a plain task, so the newest output of each is all that anybody can read. The map is
//! shared with every `Ctx` of a visit. An insertion copies it only while somebody else holds it, and it
//! has an entry for each task at most.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::core::atoms::{Bytes, Label};

/// The newest output of each plain task that has left any. A clone shares all of them.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Outputs(Arc<BTreeMap<Label, TaskOutput>>);

/// The newest output of a plain task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaskOutput {
    /// The sequence of its row.
    pub sequence: u64,
    /// The serialized output.
    pub output: Bytes,
}

impl Outputs {
    /// The newest output of the plain task `task`.
    pub fn get(&self, task: &str) -> Option<&TaskOutput> {
        self.0.get(task)
    }

    /// The newest output of each task, by the name of the task.
    pub fn iter(&self) -> impl Iterator<Item = (&Label, &TaskOutput)> {
        self.0.iter()
    }

    /// Replaces the output of `task`. Clones of the map stay as they are.
    pub(super) fn insert(&mut self, task: Label, output: TaskOutput) {
        let sequence = output.sequence;
        let earlier = Arc::make_mut(&mut self.0).insert(task, output);
        assert!(
            earlier.is_none_or(|earlier| earlier.sequence < sequence),
            "an output comes after the earlier outputs of its task"
        );
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
