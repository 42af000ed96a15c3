//! The store as one caller sees it. Instants and store faults are here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use crashpoint::{
    CheckpointRow, CheckpointStore, Ctx, Direction, Engine, Error, ListRuns, ScopeId, StoreError,
    StoreErrorKind,
};

use crate::fault::{Fault, Fired, StoreFault};
use crate::operations::fleet::{Health, Run};
use crate::operations::history::What;
use crate::operations::machine::Answers;
use crate::operations::state::{Instant, Offers, State};

const CHANGE_FAULTS: &[StoreFault] = &[StoreFault::Refused, StoreFault::InDoubtApplied];
const APPEND_FAULTS: &[StoreFault] = &[
    StoreFault::Refused,
    StoreFault::InDoubtApplied,
    StoreFault::Duplicated,
];
/// The faults of an append to a store that nobody holds exclusively.
const SHARED_APPEND_FAULTS: &[StoreFault] = &[
    StoreFault::Refused,
    StoreFault::InDoubtApplied,
    StoreFault::Duplicated,
    StoreFault::InDoubtLate(1),
];
const READ_FAULTS: &[StoreFault] = &[StoreFault::Refused];

/// The number of the process that made the fleet. Its calls have no instants.
const EARLIER: u8 = 0;

/// The caller of an operation. Clones are the same caller.
#[derive(Clone)]
pub(super) struct Caller {
    state: Arc<State>,
    number: u8,
}

impl Caller {
    pub(super) fn new(state: &Arc<State>, number: u8) -> Self {
        let state = Arc::clone(state);
        Self { state, number }
    }

    /// The process that made the fleet.
    pub(super) fn of_an_earlier_process(state: &Arc<State>) -> Self {
        Self::new(state, EARLIER)
    }

    pub(super) fn number(&self) -> u8 {
        self.number
    }

    pub(super) fn cutoff_unix_ms(&self) -> u64 {
        self.state.cutoff_unix_ms()
    }

    pub(super) fn undos_are_repaired(&self) -> bool {
        self.state.undos_are_repaired()
    }

    /// Acts on the world for a task. Returns how often the task of this id has acted before.
    pub(super) async fn effect(&self, ctx: &Ctx) -> u64 {
        let (id, task, direction) = (ctx.workflow_id(), ctx.task(), ctx.direction());
        let call = match direction {
            Direction::Do => task.to_owned(),
            Direction::Undo => format!("undo {task}"),
        };
        self.point(&call, Some(id), None, "before", &[]).await;
        let before = self.state.count_effect(id, &call);
        let (id, task) = (id.into(), task.into());
        self.record(What::Effect {
            id,
            task,
            direction,
        });
        before
    }

    /// Whether a row of this caller has arrived twice.
    pub(super) fn met_a_copy(&self) -> bool {
        let changing = self.state.changing();
        changing.history.0.iter().any(|entry| {
            let is_copy = |fired: &Fired| fired.fault == Fault::Store(StoreFault::Duplicated);
            entry.caller == self.number
                && matches!(&entry.what, What::Fault { fired, .. } if is_copy(fired))
        })
    }

    fn record(&self, what: What) {
        self.state.record(self.number, what);
    }

    /// An instant: whatever is ready in this process or the other may run before it is over.
    async fn point(
        &self,
        call: &str,
        id: Option<&str>,
        row: Option<u64>,
        when: &'static str,
        faults: &[StoreFault],
    ) -> Option<StoreFault> {
        if self.number == EARLIER {
            return None;
        }
        let instant = Instant {
            call,
            id,
            row,
            when,
        };
        let offers = Offers {
            switches: true,
            store: faults,
            ..Offers::default()
        };
        match self.state.decide(self.number, instant, &offers) {
            Some(Fault::Crash(_)) => std::future::pending().await,
            Some(Fault::Store(fault)) => return Some(fault),
            // The other runs of a recovery go on in between.
            _ => YieldOnce::default().await,
        }
        None
    }
}

impl Caller {
    /// The instant after the last answer of a process that holds an embedded store: it may crash, or the
    /// power may fail, before it closes the store.
    pub(super) async fn ends(&self) {
        let instant = Instant {
            call: "end",
            id: None,
            row: None,
            when: "before-close",
        };
        let offers = Offers {
            power: true,
            ..Offers::default()
        };
        if self.state.decide(self.number, instant, &offers).is_some() {
            std::future::pending::<()>().await;
        }
    }
}

/// The store of a caller.
#[derive(Clone)]
pub(super) struct Store {
    caller: Caller,
    /// The lives of the process.
    scope: ScopeId,
    /// The caller dies before it appends this row.
    dies_at: usize,
    /// A taken sequence counts as a success, for a broken operation.
    pub(super) ignores_conflicts: bool,
    /// A conditional clear does not look at the first row, for a broken operation.
    pub(super) clears_blindly: bool,
    /// When the embedded store answers an append, and a clear, for a broken operation.
    pub(super) appends: Answers,
    pub(super) clears: Answers,
    /// An append is seen before it is durable, and a load sees such a row, for a broken operation.
    pub(super) queues: bool,
    pub(super) reads_ahead: bool,
}

impl Store {
    /// The store in the process with these lives.
    pub(super) fn new(caller: Caller, scope: ScopeId) -> Self {
        Self {
            caller,
            scope,
            dies_at: usize::MAX,
            ignores_conflicts: false,
            clears_blindly: false,
            appends: Answers::Durable,
            clears: Answers::Durable,
            queues: false,
            reads_ahead: false,
        }
    }

    pub(super) fn dying_after(caller: Caller, rows: usize) -> Self {
        Self {
            dies_at: rows,
            ..Self::new(caller, ScopeId::new())
        }
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The same store with lives that nobody else in the process knows, for a broken operation.
    pub(super) fn in_a_scope_of_its_own(self) -> Self {
        let scope = ScopeId::new();
        Self { scope, ..self }
    }

    /// Clears a run if its rows are such. Returns whether they are.
    async fn clear_if(
        &self,
        workflow_id: &str,
        is_meant: impl Fn(&[CheckpointRow]) -> bool + Send,
    ) -> Result<bool, Error> {
        let id = run(workflow_id).id;
        let point = |when, faults| self.caller.point("clear", Some(id), None, when, faults);
        let fault = point("before", CHANGE_FAULTS).await;
        self.caller.state.count_call();
        if fault == Some(StoreFault::Refused) {
            return Err(refused());
        }
        let (state, number) = (&self.caller.state, self.caller.number);
        let is_meant = is_meant(&state.rows(number, id).await?);
        if is_meant {
            state.clear(number, id, self.clears).await?;
        }
        if fault.is_some() {
            return Err(answer_lost());
        }
        point("unacked", &[]).await;
        Ok(is_meant)
    }

    /// An engine over this store.
    pub(super) fn engine(&self) -> Engine {
        let runtime = self.caller.state.runtime(self.caller.number);
        Engine::new(self.clone()).with_runtime(runtime)
    }

    async fn land(&self, id: &'static str, row: CheckpointRow) -> Result<(), Error> {
        let (state, number) = (&self.caller.state, self.caller.number);
        if let Some(machine) = state.storage.machine().filter(|_| self.queues) {
            let sequence = Some(row.sequence);
            machine.set_queued(Some((id, row.clone())));
            let queued = self
                .caller
                .point("append", Some(id), sequence, "queued", &[]);
            queued.await;
            machine.set_queued(None);
        }
        let landed = state.append(number, id, row, self.appends).await;
        match self.ignores_conflicts {
            true => Ok(()),
            false => landed,
        }
    }

    /// Whether the earlier process dies now.
    async fn dies(&self, id: &str) -> bool {
        if self.dies_at == usize::MAX {
            return false;
        }
        let rows = self.caller.state.rows(self.caller.number, id).await;
        rows.is_ok_and(|rows| rows.len() >= self.dies_at)
    }
}

/// The run with this id. Nothing here has another id.
fn run(id: &str) -> &'static Run {
    Run::named(id).expect("the operations know the ids of the fleet alone")
}

#[async_trait]
impl CheckpointStore for Store {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let id = run(workflow_id).id;
        if self.dies(id).await {
            std::future::pending::<()>().await;
        }
        let sequence = Some(row.sequence);
        let point = |when, faults| {
            self.caller
                .point("append", Some(id), sequence, when, faults)
        };
        let faults = match self.caller.state.is_exclusive() {
            true => APPEND_FAULTS,
            false => SHARED_APPEND_FAULTS,
        };
        let fault = point("before", faults).await;
        self.caller.state.count_call();
        match fault {
            Some(StoreFault::Refused) => return Err(refused()),
            Some(StoreFault::Duplicated) => self.land(id, row.clone()).await?,
            Some(StoreFault::InDoubtLate(calls)) => {
                self.caller.state.delay(self.caller.number, id, row, calls);
                return Err(answer_lost());
            }
            Some(_) => {
                self.land(id, row).await?;
                return Err(answer_lost());
            }
            None => {}
        }
        let landed = self.land(id, row).await;
        point("unacked", &[]).await;
        landed
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let run = run(workflow_id);
        let fault = self
            .caller
            .point("load", Some(run.id), None, "before", READ_FAULTS);
        let fault = fault.await;
        self.caller.state.count_call();
        match fault {
            Some(_) => Err(refused()),
            None if run.health == Health::Damaged && self.caller.number != EARLIER => {
                let damaged = "simulated: the rows are damaged";
                Err(StoreError::new(StoreErrorKind::Damaged, damaged).into())
            }
            None => {
                let (state, number) = (&self.caller.state, self.caller.number);
                let mut rows = state.rows(number, run.id).await?;
                let machine = state.storage.machine().filter(|_| self.reads_ahead);
                rows.extend(machine.and_then(|machine| machine.queued(run.id)));
                Ok(rows)
            }
        }
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.clear_if(workflow_id, |_| true).await.map(|_| ())
    }

    async fn clear_if_begun_with(
        &self,
        workflow_id: &str,
        first: &CheckpointRow,
    ) -> Result<bool, Error> {
        let is_begun = |rows: &[CheckpointRow]| rows.first() == Some(first);
        self.clear_if(workflow_id, |rows| self.clears_blindly || is_begun(rows))
            .await
    }

    /// Several processes hold no store exclusively.
    fn exclusive_scope(&self) -> Option<ScopeId> {
        let is_exclusive = self.caller.state.is_exclusive();
        is_exclusive.then(|| self.scope.clone())
    }

    fn as_listing(&self) -> Option<&dyn ListRuns> {
        Some(self)
    }
}

#[async_trait]
impl ListRuns for Store {
    async fn run_ids(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        let fault = self.caller.point("list", None, None, "before", READ_FAULTS);
        let fault = fault.await;
        self.caller.state.count_call();
        if fault.is_some() {
            return Err(refused());
        }
        let ids = self.caller.state.ids(self.caller.number, after, limit);
        let ids = ids.await?;
        let listed = ids.iter().map(Into::into).collect();
        self.caller.record(What::Listed(listed));
        Ok(ids)
    }
}

fn refused() -> Error {
    Error::unavailable("simulated: the store is down")
}

fn answer_lost() -> Error {
    Error::unknown_outcome("simulated: the answer was lost")
}

/// A future that is pending once, and then ready.
#[derive(Default)]
struct YieldOnce {
    gave: bool,
}

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
