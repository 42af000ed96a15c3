//! A process's view of the store: the place where storage faults happen.
//!
//! Rows go to the store of the simulation, which survives every crash. This wrapper only decides
//! when they arrive, how often, and what the caller is told; it never changes one.

use std::sync::Arc;

use async_trait::async_trait;
use crashpoint_engine::{CheckpointRow, CheckpointStore, Error, ScopeId};

use crate::fault::Fault;
use crate::history::What;
use crate::sim::{Change, Doing, Instant, Late, Process};

/// What can go wrong with an append besides a crash.
const APPEND_FAULTS: &[Fault] = &[
    Fault::Refused,
    Fault::FailsDurable,
    Fault::Duplicated,
    Fault::Phantom,
    Fault::FailsLate(1),
    Fault::FailsLate(2),
    Fault::FailsLate(3),
    Fault::Echoed(2),
];

/// The same where the store is held exclusively: such a store settles earlier appends before any
/// later load or clear (law CAN-08), so nothing arrives late.
const EXCLUSIVE_APPEND_FAULTS: &[Fault] = &[
    Fault::Refused,
    Fault::FailsDurable,
    Fault::Duplicated,
    Fault::Phantom,
];

const LOAD_FAULTS: &[Fault] = &[Fault::Refused, Fault::Stale];

const CLEAR_FAULTS: &[Fault] = &[Fault::Refused, Fault::FailsDurable];

/// The store of a simulation as one process sees it.
#[derive(Debug, Clone)]
pub struct SimStore {
    process: Process,
}

impl SimStore {
    pub(crate) fn new(process: Process) -> Self {
        Self { process }
    }

    /// One more operation of the store: what is on its way may arrive first.
    async fn operation(&self) {
        self.process.sim().state().lasting.operations += 1;
        self.process.sim().deliver(false).await;
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

    /// A change of the log begins.
    fn begin(&self, operation: Doing, change: Change) {
        self.process.set_operation(operation);
        self.process.sim().state().lasting.under_way = Some((self.process.life(), change));
    }

    /// A change of the log has ended: where the process lives, it knows how.
    fn end(&self, answer: Result<(), Error>, done: impl FnOnce() -> What) -> Result<(), Error> {
        if !self.process.is_dead() {
            self.process.sim().state().lasting.under_way = None;
            match &answer {
                Ok(()) => self.process.record(done()),
                Err(error) => self.process.broke_its_word(error),
            }
        }
        answer
    }

    /// Sends the row on its way: it arrives after so many further operations.
    fn later(&self, row: &Arc<CheckpointRow>, operations: u8) {
        let mut state = self.process.sim().state();
        let due = state.lasting.operations + u64::from(operations);
        state.lasting.late.push(Late {
            due,
            life: self.process.life(),
            row: Arc::clone(row),
        });
    }

    async fn arrive(
        &self,
        id: &str,
        row: &Arc<CheckpointRow>,
        fault: Option<Fault>,
    ) -> Result<(), Error> {
        match fault {
            None => self.land(id, row).await,
            Some(Fault::Refused) => Err(Error::unavailable("simulated: the store is down")),
            Some(Fault::FailsDurable) => {
                self.land(id, row).await?;
                Err(Error::unknown_outcome("simulated: the answer was lost"))
            }
            Some(Fault::FailsLate(operations)) => {
                self.later(row, operations);
                Err(Error::unknown_outcome("simulated: the request was delayed"))
            }
            Some(Fault::Duplicated) => {
                self.land(id, row).await?;
                self.land(id, row).await
            }
            Some(Fault::Echoed(operations)) => {
                self.later(row, operations);
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
        self.operation().await;
        let answer = self.arrive(workflow_id, &row, fault).await;
        self.process.point(Instant::at(&what, "unacked")).await;
        answer
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let before = Instant::before(&Doing::Loading, LOAD_FAULTS);
        let fault = self.process.point(before).await;
        self.operation().await;
        if fault == Some(Fault::Refused) {
            self.process.record(What::LoadFailed);
            return Err(Error::unavailable("simulated: the store is down"));
        }
        let sim = self.process.sim();
        self.process.set_operation(Doing::Loading);
        let loaded = self.process.opened().load_run(workflow_id).await;
        let mut rows = loaded.inspect_err(|error| self.process.broke_its_word(error))?;
        rows.extend(sim.state().phantoms.iter().map(|row| (**row).clone()));
        if fault == Some(Fault::Stale) {
            rows.pop();
        }
        self.process
            .record(What::Loaded(Arc::from(rows.as_slice())));
        self.process
            .point(Instant::at(&Doing::Loading, "after"))
            .await;
        Ok(rows)
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let before = Instant::before(&Doing::Clearing, CLEAR_FAULTS);
        let fault = self.process.point(before).await;
        self.operation().await;
        if fault == Some(Fault::Refused) {
            return Err(Error::unavailable("simulated: the store is down"));
        }
        self.begin(Doing::Clearing, Change::Clear);
        let answer = self.process.opened().clear(workflow_id).await;
        self.end(answer, || What::Cleared)?;
        self.process
            .point(Instant::at(&Doing::Clearing, "unacked"))
            .await;
        match fault {
            None => Ok(()),
            _ => Err(Error::unknown_outcome("simulated: the answer was lost")),
        }
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.process.scope()
    }
}
