//! A store whose appends fail when a test says so.

use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::error::Error;
use crate::recovery::{CheckpointRow, CheckpointStore, ListRuns};
use crate::scope::ScopeId;

/// How an append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppendFault {
    /// The row is not written, and the caller gets [`StoreErrorKind::Unavailable`](crate::StoreErrorKind::Unavailable).
    Lost,
    /// The row is written, and the caller gets
    /// [`StoreErrorKind::UnknownOutcome`](crate::StoreErrorKind::UnknownOutcome).
    Unacknowledged,
}

/// A [`CheckpointStore`] over another, of which chosen appends fail. Share it as an `Arc`.
///
/// An engine loads the log after a failed append and sends the row again, so a single fault goes by unnoticed.
/// Faults that go on suspend the run.
#[derive(Debug)]
pub struct FailingStore<S> {
    inner: S,
    state: Mutex<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    appends: u64,
    chosen: Vec<(RangeInclusive<u64>, AppendFault)>,
}

impl<S> FailingStore<S> {
    /// A store that fails nowhere yet.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            state: Mutex::default(),
        }
    }

    /// Lets the `nth` append fail, `1..`, counted over all runs and calls. Of several faults at one append the first
    /// that was chosen happens.
    #[must_use]
    pub fn fail_at(self, nth: u64, fault: AppendFault) -> Self {
        self.failing(nth..=nth, fault)
    }

    /// Lets the `nth` append, `1..`, and all later appends fail, until [`heal`](Self::heal).
    #[must_use]
    pub fn fail_from(self, nth: u64, fault: AppendFault) -> Self {
        self.failing(nth..=u64::MAX, fault)
    }

    /// Ends all faults.
    pub fn heal(&self) {
        self.state().chosen.clear();
    }

    /// The number of appends so far, failed appends among them. A run over a store without faults says how many there
    /// are to let fail.
    pub fn appends(&self) -> u64 {
        self.state().appends
    }

    fn failing(self, appends: RangeInclusive<u64>, fault: AppendFault) -> Self {
        self.state().chosen.push((appends, fault));
        self
    }

    fn state(&self) -> MutexGuard<'_, Faults> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an append. Returns its fault, if it has one.
    fn next(&self) -> Option<AppendFault> {
        let mut state = self.state();
        state.appends += 1;
        let nth = state.appends;
        let chosen = state
            .chosen
            .iter()
            .find(|(appends, _)| appends.contains(&nth));
        chosen.map(|(_, fault)| *fault)
    }
}

#[async_trait]
impl<S: CheckpointStore> CheckpointStore for FailingStore<S> {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let sequence = row.sequence;
        match self.next() {
            None => self.inner.append(workflow_id, row).await,
            Some(AppendFault::Lost) => Err(Error::unavailable(format!(
                "the test lets the append of row {sequence} to run {workflow_id:?} fail"
            ))),
            Some(AppendFault::Unacknowledged) => {
                self.inner.append(workflow_id, row).await?;
                Err(Error::unknown_outcome(format!(
                    "the test loses the answer to the append of row {sequence} to run {workflow_id:?}"
                )))
            }
        }
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        self.inner.load_run(workflow_id).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.inner.clear(workflow_id).await
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.inner.exclusive_scope()
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        self.inner.as_listing()
    }
}
