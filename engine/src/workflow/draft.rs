//! The input of a builder before validation.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::core::{Policy, TaskKind};
use crate::task::Handler;

/// A definition that is not validated yet.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) accepts: BTreeSet<u32>,
    pub(super) starts: Option<Vec<usize>>,
    pub(super) tasks: Vec<TaskDraft>,
    pub(super) exits: Vec<usize>,
    /// The method that was called before any task was added.
    pub(super) misplaced: Option<&'static str>,
}

/// A task of it.
pub(super) struct TaskDraft {
    pub(super) state: usize,
    pub(super) name: String,
    pub(super) kind: TaskKind,
    pub(super) edges: Option<Vec<usize>>,
    pub(super) policy: Policy,
    pub(super) readable: fn(&[u8]) -> Result<(), String>,
    pub(super) handler: Arc<dyn Handler>,
}
