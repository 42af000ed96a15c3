//! The trait of anything that a simulation can start and resume.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::history::{Ending, LifeEnd};
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

    /// The subject's own invariants that are broken when the run has ended, where they depend on what
    /// went wrong before. By default they depend on the outcome alone.
    fn broken_invariants_after(&self, ending: &Ending<'_>) -> Vec<BrokenInvariant> {
        self.broken_invariants(ending.outcome())
    }

    /// The subject's own invariants that are broken at an instant. It is asked at every instant.
    fn broken_now(&self) -> Vec<BrokenInvariant> {
        Vec::new()
    }

    /// The subject's own world as a crash of every process would leave it now, as a new subject.
    /// `None` if it has no world, or cannot copy it.
    fn survivor(&self) -> Option<Arc<dyn Subject>> {
        None
    }

    /// The subject's own world in words, several lines where it is large. Two runs of the same choices
    /// must have the same words. `None` if it has no world, or can't show it.
    fn world(&self) -> Option<String> {
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
