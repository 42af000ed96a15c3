//! An order to ship, whose tasks do what a test's script says, and stores that fail on request.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crashpoint::{
    CheckpointRow, CheckpointStore, CompensatableTask, Ctx, Direction, Engine, Error,
    MemoryCheckpointStore, Runtime, State, TaskError, TokioRuntime, Workflow, WorkflowBuilder,
    checkpoint_store,
};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
pub(crate) enum Order {
    Charge,
    Pack,
    Ship,
    Shipped,
}

/// What happened outside of the engine, in order.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(crate) fn note(&self, entry: impl Into<String>) {
        self.0.lock().expect("no note panics").push(entry.into());
    }

    /// Everything noted since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no note panics"))
    }
}

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Succeed,
    GoTo(Order),
    Retry,
    Fatal,
    Panic,
    /// Never returns.
    Hang,
    Sleep(Duration),
}

/// Every task of the order: it notes that it runs, then does what the script says.
#[derive(Clone)]
pub(crate) struct Scripted {
    journal: Journal,
    script: Arc<dyn Fn(&Ctx) -> Act + Send + Sync>,
}

impl Scripted {
    pub(crate) fn new(
        journal: &Journal,
        script: impl Fn(&Ctx) -> Act + Send + Sync + 'static,
    ) -> Self {
        Self {
            journal: journal.clone(),
            script: Arc::new(script),
        }
    }

    async fn act(&self, ctx: &Ctx) -> Result<Order, TaskError> {
        let next = match ctx.task() {
            "charge" => Order::Pack,
            "pack" => Order::Ship,
            _ => Order::Shipped,
        };
        match (self.script)(ctx) {
            Act::Succeed => Ok(next),
            Act::GoTo(other) => Ok(other),
            Act::Retry => Err(TaskError::retry("busy")),
            Act::Fatal => Err(TaskError::fatal("refused")),
            Act::Panic => panic!("a bug in {}", ctx.task()),
            Act::Hang => std::future::pending().await,
            Act::Sleep(duration) => {
                ctx.sleep(duration).await;
                Ok(next)
            }
        }
    }

    /// The same as a plain task.
    pub(crate) async fn plain(&self, ctx: Ctx) -> Result<Order, TaskError> {
        self.journal.note(format!("do {}", ctx.task()));
        self.act(&ctx).await
    }
}

impl CompensatableTask<Order> for Scripted {
    type Output = String;

    async fn run(&self, ctx: Ctx) -> Result<(Order, String), TaskError> {
        let next = self.plain(ctx.clone()).await?;
        Ok((next, format!("{}@{}", ctx.task(), ctx.visit())))
    }

    async fn compensate(&self, ctx: Ctx, output: String) -> Result<(), TaskError> {
        self.journal.note(format!("undo {output}"));
        self.act(&ctx).await?;
        Ok(())
    }

    async fn compensate_in_doubt(&self, ctx: Ctx) -> Result<(), TaskError> {
        let undone = format!("undo {} in doubt of visit {}", ctx.task(), ctx.visit());
        self.journal.note(undone);
        self.act(&ctx).await?;
        Ok(())
    }
}

/// `charge` and `pack` can be undone, `ship` can't; `amend` has a say after each of the tasks.
pub(crate) fn order_with(
    tasks: &Scripted,
    amend: impl Fn(WorkflowBuilder<Order>) -> WorkflowBuilder<Order>,
) -> Workflow<Order> {
    let ship = tasks.clone();
    let ship = move |ctx| {
        let ship = ship.clone();
        async move { ship.plain(ctx).await }
    };
    let builder = Workflow::builder("order", 1);
    let builder = amend(builder.compensatable(Order::Charge, "charge", tasks.clone()));
    let builder = amend(builder.compensatable(Order::Pack, "pack", tasks.clone()));
    let builder = amend(builder.task(Order::Ship, "ship", ship));
    builder.exit(Order::Shipped).build().expect("it is valid")
}

pub(crate) fn order(
    journal: &Journal,
    script: impl Fn(&Ctx) -> Act + Send + Sync + 'static,
) -> Workflow<Order> {
    order_with(&Scripted::new(journal, script), |builder| builder)
}

/// A script in which the named forward tasks do what is said, and all else succeeds.
pub(crate) fn when_doing(
    acts: &[(&'static str, Act)],
) -> impl Fn(&Ctx) -> Act + Send + Sync + 'static {
    let acts: BTreeMap<_, _> = acts.iter().copied().collect();
    move |ctx| match ctx.direction() {
        Direction::Do => acts.get(ctx.task()).copied().unwrap_or(Act::Succeed),
        Direction::Undo => Act::Succeed,
    }
}

/// An engine over a store in memory, and the store.
pub(crate) fn in_memory() -> (Engine, Arc<MemoryCheckpointStore>) {
    let store = Arc::new(MemoryCheckpointStore::new());
    (Engine::new(Arc::clone(&store)), store)
}

/// The rows of a run, a line for each.
pub(crate) async fn rows_in_words(store: &MemoryCheckpointStore, workflow_id: &str) -> String {
    let rows = store.load_run(workflow_id).await.expect("memory loads");
    rows.iter()
        .map(|row| format!("{}\n", row_in_words(row)))
        .collect()
}

pub(crate) fn row_in_words(row: &CheckpointRow) -> String {
    format!(
        "{} {} {:?} {:?}",
        row.sequence, row.kind, row.state, row.task_id
    )
}

/// Polls `future` until it can only go on if something happens: a crash at that point is to drop it.
pub(crate) async fn stalls<F: Future + Unpin>(future: &mut F) {
    assert!(
        futures_util::poll!(future).is_pending(),
        "the run waits for something"
    );
}

/// A fault of one call of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error, and nothing happened.
    Lost,
    /// An error, although it happened.
    Unacknowledged,
    /// Never returns, and nothing happens.
    Hang,
}

type ChooseFault = dyn Fn(&str, u64) -> Option<Fault> + Send + Sync;

/// A store whose calls fail as `choose_fault` says. Its arguments are `append` and the sequence, or
/// `load` or `clear` and the number of earlier calls.
pub(crate) struct Faulty {
    pub(crate) inner: Arc<MemoryCheckpointStore>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    choose_fault: Box<ChooseFault>,
}

impl Faulty {
    pub(crate) fn new(
        inner: &Arc<MemoryCheckpointStore>,
        choose_fault: impl Fn(&str, u64) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: Arc::clone(inner),
            calls: Mutex::default(),
            choose_fault: Box::new(choose_fault),
        }
    }

    fn nth(&self, call: &'static str) -> u64 {
        let mut calls = self.calls.lock().expect("counting does not panic");
        let count = calls.entry(call).or_default();
        *count += 1;
        *count - 1
    }

    async fn faulted<T>(
        &self,
        fault: Option<Fault>,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match fault {
            None => call.await,
            Some(Fault::Lost) => Err(Error::unavailable("no route to the store")),
            Some(Fault::Unacknowledged) => {
                call.await?;
                Err(Error::unknown_outcome("the connection was cut"))
            }
            Some(Fault::Hang) => std::future::pending().await,
        }
    }
}

#[checkpoint_store]
impl CheckpointStore for Faulty {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let fault = (self.choose_fault)("append", row.sequence);
        self.faulted(fault, self.inner.append(workflow_id, row))
            .await
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        let fault = (self.choose_fault)("load", self.nth("load"));
        self.faulted(fault, self.inner.load_run(workflow_id)).await
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        let fault = (self.choose_fault)("clear", self.nth("clear"));
        self.faulted(fault, self.inner.clear(workflow_id)).await
    }

    fn exclusive_scope(&self) -> Option<crashpoint::ScopeId> {
        self.inner.exclusive_scope()
    }

    fn as_listing(&self) -> Option<&dyn crashpoint::ListRuns> {
        self.inner.as_listing()
    }
}

/// The wall clock of 1970 that tokio's paused clock moves, and that a test can move besides.
#[derive(Clone)]
pub(crate) struct Clock {
    started: Instant,
    skew_ms: Arc<AtomicI64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            skew_ms: Arc::default(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.skew_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Runtime for Clock {
    fn unix_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).expect("a test is short");
        let day_1 = 24 * 60 * 60 * 1000;
        elapsed + u64::try_from(day_1 + self.skew_ms.load(Ordering::Relaxed)).expect("after 1970")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        TokioRuntime::new().sleep(duration)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        TokioRuntime::new().blocking(work)
    }

    fn entropy(&self) -> [u8; 16] {
        TokioRuntime::new().entropy()
    }
}
