//! A process's view of the store. Store faults happen here.
//!
//! Rows go to the store of the simulation, which survives every crash. This wrapper only decides
//! when they arrive, how often, and with which response. It never changes a row.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error, Runtime as _, ScopeId};

use crate::fault::{Breach, Fault, StoreFault};
use crate::history::What;
use crate::sim::{Activity, Change, Instant, Late, Process};

/// The delay of a slow response or request.
const LATE: Duration = Duration::from_secs(60);

/// A fault of an append.
#[derive(Debug, Clone, Copy)]
enum AppendFault {
    Store(StoreFault),
    /// [`Breach::PhantomRow`].
    PhantomRow,
}

// Tapes number the faults in these lists, so their order never changes.

/// The faults of an append to a shared store.
const APPEND_FAULTS: &[AppendFault] = &[
    AppendFault::Store(StoreFault::Refused),
    AppendFault::Store(StoreFault::InDoubtApplied),
    AppendFault::Store(StoreFault::InDoubtLost),
    AppendFault::Store(StoreFault::Duplicated),
    AppendFault::PhantomRow,
    AppendFault::Store(StoreFault::InDoubtLate(1)),
    AppendFault::Store(StoreFault::InDoubtLate(2)),
    AppendFault::Store(StoreFault::InDoubtLate(3)),
    AppendFault::Store(StoreFault::Echoed(2)),
    AppendFault::Store(StoreFault::SlowAnswer),
    AppendFault::Store(StoreFault::SlowRequest),
];

/// The same for an exclusively held store. It settles earlier appends before any later load or
/// clear (law CAN-08), so no request arrives late.
const EXCLUSIVE_APPEND_FAULTS: &[AppendFault] = &[
    AppendFault::Store(StoreFault::Refused),
    AppendFault::Store(StoreFault::InDoubtApplied),
    AppendFault::Store(StoreFault::InDoubtLost),
    AppendFault::Store(StoreFault::Duplicated),
    AppendFault::PhantomRow,
    AppendFault::Store(StoreFault::SlowAnswer),
];

/// The faults of a load.
const LOAD_FAULTS: &[StoreFault] = &[
    StoreFault::Refused,
    StoreFault::StaleLoad,
    StoreFault::SlowAnswer,
    StoreFault::SlowRequest,
];

/// The faults of a clear of a shared store.
const CLEAR_FAULTS: &[StoreFault] = &[
    StoreFault::Refused,
    StoreFault::InDoubtApplied,
    StoreFault::InDoubtLost,
    StoreFault::InDoubtLate(1),
    StoreFault::InDoubtLate(2),
    StoreFault::Echoed(2),
    StoreFault::SlowAnswer,
    StoreFault::SlowRequest,
];

/// The same for an exclusively held store.
const EXCLUSIVE_CLEAR_FAULTS: &[StoreFault] = &[
    StoreFault::Refused,
    StoreFault::InDoubtApplied,
    StoreFault::InDoubtLost,
    StoreFault::SlowAnswer,
];

impl From<AppendFault> for Fault {
    fn from(fault: AppendFault) -> Self {
        match fault {
            AppendFault::Store(fault) => Self::Store(fault),
            AppendFault::PhantomRow => Self::Breach(Breach::PhantomRow),
        }
    }
}

impl AppendFault {
    fn store(self) -> Option<StoreFault> {
        match self {
            Self::Store(fault) => Some(fault),
            Self::PhantomRow => None,
        }
    }
}

/// The store of a simulation as one process sees it.
#[derive(Debug, Clone)]
pub struct SimStore {
    process: Process,
}

impl SimStore {
    pub(crate) fn new(process: Process) -> Self {
        Self { process }
    }

    /// Begins an operation of the store: changes in flight may arrive first, and the request itself
    /// may be late.
    async fn operation(&self, fault: Option<StoreFault>) {
        self.wait_where(fault == Some(StoreFault::SlowRequest))
            .await;
        self.process.sim().state().lasting.operations += 1;
        self.process.sim().deliver(false).await;
    }

    /// Waits if the request or the response is late; other lives may run in the meantime. The
    /// request or response is lost if the process dies.
    async fn wait_where(&self, late: bool) {
        if late {
            self.process.runtime().sleep(LATE).await;
            self.process.hang_if_dead().await;
        }
    }

    async fn land(&self, id: &str, row: &Arc<CheckpointRow>) -> Result<(), Error> {
        let sim = self.process.sim();
        if sim
            .state()
            .phantoms
            .iter()
            .any(|phantom| phantom.sequence == row.sequence)
        {
            return Err(Error::conflict(id, row.sequence));
        }
        self.begin(
            Activity::Appending(row.sequence),
            Change::Append(Arc::clone(row)),
        );
        let store = self.process.opened();
        let answer = store.append(id, CheckpointRow::clone(row)).await;
        self.end(answer, || What::Landed(Arc::clone(row)))
    }

    /// Begins a change of the log. If a failing disk left an earlier change in doubt, that change
    /// stays the interrupted one: the store does nothing more until it is opened again.
    fn begin(&self, operation: Activity, change: Change) {
        self.process.set_operation(operation);
        let under_way = &mut self.process.sim().state().lasting.under_way;
        under_way.get_or_insert((self.process.life(), change));
    }

    /// Ends a change of the log. Its outcome is known if the process lives and its disk has not
    /// failed.
    fn end(&self, answer: Result<(), Error>, done: impl FnOnce() -> What) -> Result<(), Error> {
        if !self.process.is_dead() {
            if answer.is_ok() || !self.process.host().has_failing_disk() {
                self.process.sim().state().lasting.under_way = None;
            }
            match &answer {
                Ok(()) => self.process.record(done()),
                Err(error) => self.process.record_store_failure(error),
            }
        }
        answer
    }

    /// Puts a change in flight: it arrives after `operations` further operations.
    fn later(&self, change: Change, operations: u8) {
        let mut state = self.process.sim().state();
        let due = state.lasting.operations + u64::from(operations);
        state.lasting.late.push(Late {
            due,
            life: self.process.life(),
            change,
        });
    }

    async fn perform_append(
        &self,
        id: &str,
        row: &Arc<CheckpointRow>,
        fault: Option<AppendFault>,
    ) -> Result<(), Error> {
        let fault = match fault {
            None => return self.land(id, row).await,
            Some(AppendFault::PhantomRow) => {
                self.process.sim().state().phantoms.push(Arc::clone(row));
                return Err(Error::unknown_outcome("simulated: the sync failed"));
            }
            Some(AppendFault::Store(fault)) => fault,
        };
        match fault {
            StoreFault::Refused => Err(store_is_down()),
            StoreFault::InDoubtApplied => {
                self.land(id, row).await?;
                Err(answer_lost())
            }
            StoreFault::InDoubtLost => Err(request_lost()),
            StoreFault::InDoubtLate(operations) => {
                self.later(Change::Append(Arc::clone(row)), operations);
                Err(request_delayed())
            }
            StoreFault::Duplicated => {
                self.land(id, row).await?;
                self.land(id, row).await
            }
            StoreFault::Echoed(operations) => {
                self.later(Change::Append(Arc::clone(row)), operations);
                self.land(id, row).await
            }
            // The caller waits before or after this.
            StoreFault::SlowAnswer | StoreFault::SlowRequest => self.land(id, row).await,
            StoreFault::StaleLoad => unreachable!("an append is not offered a fault of loads"),
        }
    }

    async fn perform_load(
        &self,
        id: &str,
        fault: Option<StoreFault>,
    ) -> Result<Vec<CheckpointRow>, Error> {
        let is_stale = match fault {
            // The caller waits before or after this.
            None | Some(StoreFault::SlowAnswer | StoreFault::SlowRequest) => false,
            Some(StoreFault::StaleLoad) => true,
            Some(StoreFault::Refused) => {
                self.process.record(What::LoadFailed);
                return Err(store_is_down());
            }
            Some(
                StoreFault::InDoubtApplied
                | StoreFault::InDoubtLost
                | StoreFault::InDoubtLate(_)
                | StoreFault::Duplicated
                | StoreFault::Echoed(_),
            ) => unreachable!("a load has no effect, so it is not offered a fault of one"),
        };
        self.process.set_operation(Activity::Loading);
        let loaded = self.process.opened().load_run(id).await;
        let mut rows = loaded.inspect_err(|error| {
            self.process.record(What::LoadFailed);
            self.process.record_store_failure(error);
        })?;
        let phantoms = &self.process.sim().state().phantoms;
        rows.extend(phantoms.iter().map(|row| (**row).clone()));
        if is_stale {
            rows.pop();
        }
        Ok(rows)
    }

    async fn perform_clear(&self, id: &str, fault: Option<StoreFault>) -> Result<Answer, Error> {
        let answer = match fault {
            // The caller waits before or after this.
            None | Some(StoreFault::SlowAnswer | StoreFault::SlowRequest) => Answer::Given,
            Some(StoreFault::InDoubtApplied) => Answer::Lost,
            Some(StoreFault::Refused) => return Err(store_is_down()),
            Some(StoreFault::InDoubtLost) => return Err(request_lost()),
            Some(StoreFault::InDoubtLate(operations)) => {
                self.later(Change::Clear, operations);
                return Err(request_delayed());
            }
            Some(StoreFault::Echoed(operations)) => {
                self.later(Change::Clear, operations);
                Answer::Given
            }
            Some(StoreFault::Duplicated | StoreFault::StaleLoad) => {
                unreachable!("a clear is not offered a fault of appends or loads")
            }
        };
        self.begin(Activity::Clearing, Change::Clear);
        let cleared = self.process.opened().clear(id).await;
        self.end(cleared, || What::Cleared)?;
        Ok(answer)
    }
}

/// Whether the response of an operation that took effect reaches the caller.
enum Answer {
    Given,
    Lost,
}

#[async_trait]
impl CheckpointStore for SimStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let row = Arc::new(row);
        let what = Activity::Appending(row.sequence);
        let faults = match self.exclusive_scope() {
            Some(_) => EXCLUSIVE_APPEND_FAULTS,
            None => APPEND_FAULTS,
        };
        let fault = self.process.point(Instant::before(&what, faults)).await;
        let of_store = fault.and_then(AppendFault::store);
        self.operation(of_store).await;
        let answer = self.perform_append(workflow_id, &row, fault).await;
        self.wait_where(of_store == Some(StoreFault::SlowAnswer))
            .await;
        self.process.point(Instant::at(&what, "unacked")).await;
        answer
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let what = Activity::Loading;
        let fault = self
            .process
            .point(Instant::before(&what, LOAD_FAULTS))
            .await;
        self.operation(fault).await;
        let rows = self.perform_load(workflow_id, fault).await?;
        self.process
            .record(What::Loaded(Arc::from(rows.as_slice())));
        self.wait_where(fault == Some(StoreFault::SlowAnswer)).await;
        self.process.point(Instant::at(&what, "after")).await;
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let what = Activity::Clearing;
        let faults = match self.exclusive_scope() {
            Some(_) => EXCLUSIVE_CLEAR_FAULTS,
            None => CLEAR_FAULTS,
        };
        let fault = self.process.point(Instant::before(&what, faults)).await;
        self.operation(fault).await;
        let answer = self.perform_clear(workflow_id, fault).await?;
        self.wait_where(fault == Some(StoreFault::SlowAnswer)).await;
        self.process.point(Instant::at(&what, "unacked")).await;
        match answer {
            Answer::Given => Ok(()),
            Answer::Lost => Err(answer_lost()),
        }
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.process.scope()
    }
}

fn store_is_down() -> Error {
    Error::unavailable("simulated: the store is down")
}

fn answer_lost() -> Error {
    Error::unknown_outcome("simulated: the answer was lost")
}

fn request_lost() -> Error {
    Error::unknown_outcome("simulated: the request was lost")
}

fn request_delayed() -> Error {
    Error::unknown_outcome("simulated: the request was delayed")
}
