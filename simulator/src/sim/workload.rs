//! What a simulation is told of a workflow: how it is run, and what the oracles have to know of it.

use std::sync::Arc;

use crashpoint::protocol::Definition;

use crate::sim::{Lane, Subject};

/// A workflow to explore, with what the oracles have to know of it.
pub struct Workload {
    /// Its name on the command line: lower case with hyphens; a mutant's has the rule that it
    /// breaks behind a `~`.
    pub name: String,
    /// What it is about, in a line.
    pub about: &'static str,
    /// Makes a fresh subject.
    pub subject: Box<dyn Fn() -> Arc<dyn Subject> + Send + Sync>,
    /// The definition that its log is checked against.
    pub definition: Definition,
    /// How its processes hold the store.
    pub sharing: Sharing,
    /// Whether the operator tries again what could not be undone.
    pub retry_stuck: bool,
    /// Whether undos and steps pass on what they were given, an output or a cursor, as the payload
    /// of their effect: two oracles compare that with the log.
    pub echoes: bool,
    /// How long its runs are.
    pub length: Length,
    /// What its tasks act on.
    pub acts_on: ActsOn,
    /// The runtime that its tasks find around them.
    pub lane: Lane,
    /// What it means where one of its tasks panics by itself.
    pub panics: Panics,
}

/// How long the runs of a workload are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Some twenty instants: short enough to exhaust what grows fastest while somebody waits, which is every
    /// pair of takeovers with every switch after them, and everything that a loss of power may keep.
    Short,
    /// Longer. What grows fastest is sampled.
    Long,
}

/// What a panic of a task, a step or an undo means that no fault of the schedule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panics {
    /// It is a bug: a promise is broken in every schedule that has it.
    Fail,
    /// It belongs to the workflow, to which it is a failure of the task.
    Belong,
}

/// What the tasks of a workload act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsOn {
    /// The simulated world alone, which is copied with what else survives a crash.
    Simulated,
    /// A world of the subject's own. Nobody can copy it, so every schedule is run from its start.
    Own,
    /// A world of the subject's own, which it copies ([`Subject::survivor`]) and fingerprints.
    Copied,
}

/// How the processes of a workload hold the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Any number of processes at a time, kept apart by the log alone.
    Shared,
    /// One process at a time, which the store declares.
    Exclusive,
}

impl std::fmt::Debug for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workload")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
