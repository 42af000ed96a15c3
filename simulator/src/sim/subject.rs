//! What a simulation runs: anything that can be started and resumed.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::history::LifeEnd;
use crate::sim::Process;

/// An invariant of a subject's own that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrokenInvariant {
    /// The name of the invariant.
    pub name: String,
    /// How it does not hold.
    pub message: String,
}

impl fmt::Display for BrokenInvariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Something that runs in a process, keeps its log in the process's store, and can be resumed.
///
/// The engine is one subject; another engine is one through an adapter.
pub trait Subject: Send + Sync {
    /// Begins a new run in `process`.
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd>;

    /// Goes on with the run in a new `process`.
    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd>;

    /// The subject's own invariants that do not hold when the run has ended like this.
    fn broken_invariants(&self, outcome: &LifeEnd) -> Vec<BrokenInvariant> {
        let _ = outcome;
        Vec::new()
    }

    /// What is left of the subject's own world when everybody dies now, as a subject of its own; none
    /// where it has no world, or can't copy it.
    fn survivor(&self) -> Option<Arc<dyn Subject>> {
        None
    }

    /// Stands for the state of the subject's own world: two with the same fingerprint go on in the
    /// same way.
    fn fingerprint(&self) -> u64 {
        0
    }

    /// Tries again what a stuck run could not undo; by default there is no such thing.
    fn retry_stuck(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.resume(process)
    }
}
