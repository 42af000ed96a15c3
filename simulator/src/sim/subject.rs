//! The trait of anything that a simulation can start and resume.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::history::LifeEnd;
use crate::sim::Process;

/// A broken invariant of the subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BrokenInvariant {
    /// The name of the invariant.
    pub name: String,
    /// How the invariant is broken.
    pub message: String,
}

impl fmt::Display for BrokenInvariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Anything that runs in a process, keeps its log in the process's store, and can be resumed.
///
/// The engine is a subject. Another engine becomes one through an adapter.
pub trait Subject: Send + Sync {
    /// Starts a new run in `process`.
    fn start(&self, process: &Process) -> BoxFuture<'static, LifeEnd>;

    /// Resumes the run in a new `process`.
    fn resume(&self, process: &Process) -> BoxFuture<'static, LifeEnd>;

    /// The subject's own invariants that are broken when the run has ended with `outcome`.
    fn broken_invariants(&self, outcome: &LifeEnd) -> Vec<BrokenInvariant> {
        let _ = outcome;
        Vec::new()
    }

    /// The subject's own world as a crash of every process would leave it now, as a new subject.
    /// `None` if it has no world, or cannot copy it.
    fn survivor(&self) -> Option<Arc<dyn Subject>> {
        None
    }

    /// A hash of the state of the subject's own world. Worlds with equal fingerprints must behave
    /// the same from then on.
    fn fingerprint(&self) -> u64 {
        0
    }

    /// Retries the failed undos of a stuck run. By default it resumes the run.
    fn retry_stuck(&self, process: &Process) -> BoxFuture<'static, LifeEnd> {
        self.resume(process)
    }
}
