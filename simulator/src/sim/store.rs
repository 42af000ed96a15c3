//! A process's view of the store: the place where storage faults happen.
//!
//! Rows go to the store of the simulation, which survives every crash. This wrapper only decides
//! when they arrive, how often, and what the caller is told; it never changes one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use crashpoint::{CheckpointRow, CheckpointStore, Error, Runtime as _, ScopeId};

use crate::fault::Fault;
use crate::history::What;
use crate::sim::{Change, Doing, Instant, Late, Process};

/// How late a late answer or request is.
const LATE: Duration = Duration::from_secs(60);

/// What can go wrong with an append besides a crash.
const APPEND_FAULTS: &[Fault] = &[
    Fault::Refused,
    Fault::FailsDurable,
    Fault::FailsAbsent,
    Fault::Duplicated,
    Fault::Phantom,
    Fault::FailsLate(1),
    Fault::FailsLate(2),
    Fault::FailsLate(3),
    Fault::Echoed(2),
    Fault::AnswersLate,
    Fault::ArrivesLate,
];

/// A load has no effect, so it can't fail after one.
const LOAD_FAULTS: &[Fault] = &[
    Fault::Refused,
    Fault::Stale,
    Fault::AnswersLate,
    Fault::ArrivesLate,
];

const CLEAR_FAULTS: &[Fault] = &[
    Fault::Refused,
    Fault::FailsDurable,
    Fault::FailsAbsent,
    Fault::FailsLate(1),
    Fault::FailsLate(2),
    Fault::Echoed(2),
    Fault::AnswersLate,
    Fault::ArrivesLate,
];

const EXCLUSIVE_APPEND_FAULTS: &[Fault] = &settled::<6>(APPEND_FAULTS);
const EXCLUSIVE_CLEAR_FAULTS: &[Fault] = &settled::<4>(CLEAR_FAULTS);

/// The same where the store is held exclusively: such a store settles earlier appends before any later
/// load or clear (law CAN-08), so nothing arrives late.
const fn settled<const N: usize>(faults: &[Fault]) -> [Fault; N] {
    let mut settled = [Fault::Refused; N];
    let (mut from, mut to) = (0, 0);
    while from < faults.len() {
        let fault = faults[from];
        let late = matches!(
            fault,
            Fault::FailsLate(_) | Fault::Echoed(_) | Fault::ArrivesLate
        );
        if !late {
            settled[to] = fault;
            to += 1;
        }
        from += 1;
    }
    assert!(to == N, "so many are left");
    settled
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

    /// One more operation of the store: what is on its way may arrive first, and the request itself
    /// may be late.
    async fn operation(&self, fault: Option<Fault>) {
        self.wait_where(fault == Some(Fault::ArrivesLate)).await;
        self.process.sim().state().lasting.operations += 1;
        self.process.sim().deliver(false).await;
    }

    /// Others may go on in the meantime. A request that is still on its way, or an answer, goes with a
    /// process that dies.
    async fn wait_where(&self, late: bool) {
        if late {
            self.process.runtime().sleep(LATE).await;
            self.process.unless_dead().await;
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
            Doing::Appending(row.sequence),
            Change::Append(Arc::clone(row)),
        );
        let store = self.process.opened();
        let answer = store.append(id, CheckpointRow::clone(row)).await;
        self.end(answer, || What::Landed(Arc::clone(row)))
    }

    /// A change of the log begins. One that a failing disk has left in doubt comes before it: the
    /// store does nothing more until it is opened again.
    fn begin(&self, operation: Doing, change: Change) {
        self.process.set_operation(operation);
        let under_way = &mut self.process.sim().state().lasting.under_way;
        under_way.get_or_insert((self.process.life(), change));
    }

    /// A change of the log has ended: where the process lives and its disk has not failed, it knows
    /// how.
    fn end(&self, answer: Result<(), Error>, done: impl FnOnce() -> What) -> Result<(), Error> {
        if !self.process.is_dead() {
            if answer.is_ok() || !self.process.host().has_failing_disk() {
                self.process.sim().state().lasting.under_way = None;
            }
            match &answer {
                Ok(()) => self.process.record(done()),
                Err(error) => self.process.broke_its_word(error),
            }
        }
        answer
    }

    /// Sends a change on its way: it arrives after so many further operations.
    fn later(&self, change: Change, operations: u8) {
        let mut state = self.process.sim().state();
        let due = state.lasting.operations + u64::from(operations);
        state.lasting.late.push(Late {
            due,
            life: self.process.life(),
            change,
        });
    }

    async fn arrive(
        &self,
        id: &str,
        row: &Arc<CheckpointRow>,
        fault: Option<Fault>,
    ) -> Result<(), Error> {
        match fault {
            None | Some(Fault::AnswersLate | Fault::ArrivesLate) => self.land(id, row).await,
            Some(Fault::Refused) => Err(Error::unavailable("simulated: the store is down")),
            Some(Fault::FailsDurable) => {
                self.land(id, row).await?;
                Err(Error::unknown_outcome("simulated: the answer was lost"))
            }
            Some(Fault::FailsAbsent) => Err(request_lost()),
            Some(Fault::FailsLate(operations)) => {
                self.later(Change::Append(Arc::clone(row)), operations);
                Err(request_delayed())
            }
            Some(Fault::Duplicated) => {
                self.land(id, row).await?;
                self.land(id, row).await
            }
            Some(Fault::Echoed(operations)) => {
                self.later(Change::Append(Arc::clone(row)), operations);
                self.land(id, row).await
            }
            Some(Fault::Phantom) => {
                self.process.sim().state().phantoms.push(Arc::clone(row));
                Err(Error::unknown_outcome("simulated: the sync failed"))
            }
            Some(other) => unreachable!("{other} is no fault of an append"),
        }
    }
}

#[async_trait]
impl CheckpointStore for SimStore {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let row = Arc::new(row);
        let what = Doing::Appending(row.sequence);
        let faults = match self.exclusive_scope() {
            Some(_) => EXCLUSIVE_APPEND_FAULTS,
            None => APPEND_FAULTS,
        };
        let before = Instant::before(&what, faults);
        let fault = self.process.point(before).await;
        self.operation(fault).await;
        let answer = self.arrive(workflow_id, &row, fault).await;
        self.wait_where(fault == Some(Fault::AnswersLate)).await;
        self.process.point(Instant::at(&what, "unacked")).await;
        answer
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let before = Instant::before(&Doing::Loading, LOAD_FAULTS);
        let fault = self.process.point(before).await;
        self.operation(fault).await;
        if fault == Some(Fault::Refused) {
            self.process.record(What::LoadFailed);
            return Err(Error::unavailable("simulated: the store is down"));
        }
        let sim = self.process.sim();
        self.process.set_operation(Doing::Loading);
        let loaded = self.process.opened().load_run(workflow_id).await;
        let mut rows = loaded.inspect_err(|error| {
            self.process.record(What::LoadFailed);
            self.process.broke_its_word(error);
        })?;
        rows.extend(sim.state().phantoms.iter().map(|row| (**row).clone()));
        if fault == Some(Fault::Stale) {
            rows.pop();
        }
        self.process
            .record(What::Loaded(Arc::from(rows.as_slice())));
        self.wait_where(fault == Some(Fault::AnswersLate)).await;
        self.process
            .point(Instant::at(&Doing::Loading, "after"))
            .await;
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let faults = match self.exclusive_scope() {
            Some(_) => EXCLUSIVE_CLEAR_FAULTS,
            None => CLEAR_FAULTS,
        };
        let before = Instant::before(&Doing::Clearing, faults);
        let fault = self.process.point(before).await;
        self.operation(fault).await;
        match fault {
            Some(Fault::Refused) => {
                return Err(Error::unavailable("simulated: the store is down"));
            }
            Some(Fault::FailsAbsent) => return Err(request_lost()),
            Some(Fault::FailsLate(operations)) => {
                self.later(Change::Clear, operations);
                return Err(request_delayed());
            }
            Some(Fault::Echoed(operations)) => self.later(Change::Clear, operations),
            _ => {}
        }
        self.begin(Doing::Clearing, Change::Clear);
        let answer = self.process.opened().clear(workflow_id).await;
        self.end(answer, || What::Cleared)?;
        self.wait_where(fault == Some(Fault::AnswersLate)).await;
        self.process
            .point(Instant::at(&Doing::Clearing, "unacked"))
            .await;
        match fault {
            Some(Fault::FailsDurable) => {
                Err(Error::unknown_outcome("simulated: the answer was lost"))
            }
            _ => Ok(()),
        }
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.process.scope()
    }
}

fn request_lost() -> Error {
    Error::unknown_outcome("simulated: the request was lost")
}

fn request_delayed() -> Error {
    Error::unknown_outcome("simulated: the request was delayed")
}
