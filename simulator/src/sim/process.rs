//! A process of a simulation: the interface of a subject, and what a crash kills.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use crashpoint::{
    CancelToken, CheckpointStore, Ctx, Engine, Error, RedbCheckpointStore, Runtime, ScopeId,
    StoreErrorKind,
};
use futures_util::FutureExt as _;
#[cfg(madsim)]
use futures_util::future::BoxFuture;

use crate::choices::Exhaustive;
use crate::executor::{SimRuntime, lock};
use crate::fault::Fault;
use crate::history::{Effect, Receiver, Reception, Stopped, What, has_landed};
use crate::sim::file::HostDisk;
use crate::sim::host::Host;
use crate::sim::observer::SimObserver;
use crate::sim::store::SimStore;
use crate::sim::turns::{Task, Turns};
use crate::sim::{Activity, Ambient, Change, Instant, Offer, Settings, Sim, Storage, lane};

/// A process, which runs one life. Clones are handles of the same process.
///
/// After its crash a process has no effect: its store and its effects never answer, its
/// observations are not recorded, and its futures are dropped as soon as they return.
#[derive(Clone)]
pub struct Process {
    shared: Arc<Shared>,
}

struct Shared {
    sim: Arc<Sim>,
    life: u32,
    /// The run of the life.
    run: usize,
    host: Arc<Host>,
    /// Whether the life has ended by itself.
    has_left: AtomicBool,
    /// Set while a task is pending only because it yielded to another life.
    yielded: AtomicBool,
    /// Set while an attempt panics because of the schedule.
    panics_by_fault: AtomicBool,
    cancel: CancelToken,
    activity: Mutex<Activity>,
    /// The instant at which it yields: the action, and the place.
    yields_at: Mutex<Option<(Activity, &'static str)>>,
    turns: Turns,
    waits: Mutex<Waits>,
    #[cfg(madsim)]
    node: Option<Node>,
}

/// How often a life has waited.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waits {
    pub(crate) count: u32,
    /// How long it waited the last time.
    pub(crate) last: Duration,
    /// When it began to wait.
    since: Duration,
}

/// Where a process runs if not on this crate's executor.
#[cfg(madsim)]
pub(crate) struct Node {
    /// An engine over the node's store and the node's time.
    pub(crate) engine: Engine,
    /// The node's time.
    pub(crate) clock: Arc<dyn Runtime>,
    /// Passes time before and after each effect, so that a fault can strike there.
    pub(crate) pace: fn() -> BoxFuture<'static, ()>,
    /// By how much the timers of built-in workloads are shorter there: a run lasts for seconds.
    pub(crate) shorter: u32,
}

impl Shared {
    fn new(sim: Arc<Sim>, life: u32, host: Arc<Host>) -> Self {
        host.enter();
        let run = sim.state().lasting.run_of_life.of(life);
        Self {
            sim,
            life,
            run,
            host,
            has_left: AtomicBool::new(false),
            yielded: AtomicBool::new(false),
            panics_by_fault: AtomicBool::new(false),
            cancel: CancelToken::new(),
            activity: Mutex::default(),
            yields_at: Mutex::default(),
            turns: Turns::default(),
            waits: Mutex::default(),
            #[cfg(madsim)]
            node: None,
        }
    }
}

impl Process {
    pub(crate) fn new(sim: Arc<Sim>, life: u32, host: Arc<Host>) -> Self {
        Self {
            shared: Arc::new(Shared::new(sim, life, host)),
        }
    }

    /// A process on a node, which runs one life.
    #[cfg(madsim)]
    pub(crate) fn on_node(sim: Arc<Sim>, life: u32, node: Node) -> Self {
        let mut shared = Shared::new(sim, life, Arc::default());
        shared.node = Some(node);
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The engine of this process, with its observer and its cancellation.
    pub(crate) fn engine(&self) -> Engine {
        let simulated = || Engine::new(self.store()).with_runtime(self.runtime());
        self.engine_of_node()
            .unwrap_or_else(simulated)
            .with_observer(self.observer())
            .with_cancel(self.cancel_token())
    }

    #[cfg(madsim)]
    fn engine_of_node(&self) -> Option<Engine> {
        self.shared.node.as_ref().map(|node| node.engine.clone())
    }

    #[cfg(not(madsim))]
    fn engine_of_node(&self) -> Option<Engine> {
        None
    }

    /// The wall clock that the run reads, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn unix_ms(&self) -> u64 {
        #[cfg(madsim)]
        if let Some(node) = &self.shared.node {
            return node.clock.unix_ms();
        }
        self.runtime().unix_ms()
    }

    /// The length of a timer that waits for `usual` where the time of a run has no limit.
    pub(crate) fn timer(&self, usual: Duration) -> Duration {
        #[cfg(madsim)]
        if let Some(node) = &self.shared.node {
            return usual / node.shorter;
        }
        usual
    }

    /// A process outside any simulation, to build a definition with.
    pub(crate) fn detached() -> Self {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let sim = Sim::new(None, choices, &Settings::default());
        Self::new(Arc::new(sim), 1, Arc::default())
    }

    /// The number of this process's life, from 1.
    pub fn life(&self) -> u32 {
        self.shared.life
    }

    /// The id of the run.
    pub fn workflow_id(&self) -> &str {
        &self.shared.sim.ids[self.shared.run]
    }

    /// The index of the run of its life.
    pub(crate) fn run(&self) -> usize {
        self.shared.run
    }

    /// Whether its life neither died nor ended by itself.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.is_dead() && !self.shared.has_left.load(Ordering::Relaxed)
    }

    /// The store as this process sees it.
    pub fn store(&self) -> SimStore {
        SimStore::new(self.clone())
    }

    /// Virtual time and drawn entropy.
    pub fn runtime(&self) -> SimRuntime {
        let sim = &self.shared.sim;
        SimRuntime::new(
            sim.executor.clone(),
            self.shared.life,
            Arc::clone(&sim.nonces),
            Arc::clone(&sim.clock_skew_ms),
        )
    }

    /// The observer that shows an engine's life to the oracles.
    pub fn observer(&self) -> SimObserver {
        SimObserver::new(self.clone())
    }

    /// The token with which a schedule cancels the run in this process.
    pub fn cancel_token(&self) -> CancelToken {
        self.shared.cancel.clone()
    }

    /// Performs an outside effect of a task. It goes to the ledger, which survives crashes. The
    /// instants before and after it are crash points.
    ///
    /// # Panics
    ///
    /// Never: a dead process does not return from the instant before the effect.
    pub async fn effect(&self, ctx: &Ctx, name: &str, payload: &str) -> Reception {
        let what = Activity::of(ctx);
        let before = Instant::at(&what, "before-effect");
        let detail = [name, payload];
        self.point(Instant { detail, ..before }).await;
        assert!(
            !self.is_dead(),
            "a dead life never comes out of the instant before its effect"
        );
        let effect = Effect::of(ctx, name, payload, Receiver::World);
        let reception = self.receive(effect);
        let after = Instant::at(&what, "after-effect");
        self.point(Instant { detail, ..after }).await;
        reception
    }

    /// An effect reaches its receiver.
    pub(super) fn receive(&self, mut effect: Effect) -> Reception {
        effect.reception = self.sim().state().lasting.world.receive(&effect);
        let reception = effect.reception;
        self.record(What::Effect(Arc::new(effect)));
        reception
    }

    /// Increments a counter of the world, and returns its previous value, over all lives. A dead
    /// process counts nothing.
    pub fn count(&self, what: &str) -> u64 {
        let world = &mut self.sim().state().lasting.world;
        if self.is_dead() {
            world.counted(what)
        } else {
            world.count(what)
        }
    }

    pub(crate) fn sim(&self) -> &Arc<Sim> {
        &self.shared.sim
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.shared.host
    }

    /// Opens the store, unless the host has it open already.
    pub(crate) fn open_store(&self) -> Result<(), Error> {
        let host = &self.shared.host;
        if host.store().is_some() {
            return Ok(());
        }
        match &self.sim().storage {
            Storage::Memory(store) => host.set_store(Arc::clone(store) as Arc<dyn CheckpointStore>),
            Storage::Own(own) => host.set_store(own.open()),
            Storage::Disk(disk) => {
                self.set_operation(Activity::Opening);
                let disk = HostDisk {
                    disk: disk.clone(),
                    host: Arc::clone(host),
                    sim: Arc::clone(self.sim()),
                };
                let store = RedbCheckpointStore::on_disk(&disk, self.runtime())?;
                host.set_store(Arc::new(store));
                self.settle()?;
            }
        }
        Ok(())
    }

    /// The host's open store. A dead process has nothing that could be reached.
    pub(crate) fn opened(&self) -> Arc<dyn CheckpointStore> {
        let store = self.shared.host.store();
        store.expect("a life has its store open")
    }

    /// The scope of the lives of this process, if they hold the store exclusively.
    pub(crate) fn scope(&self) -> Option<ScopeId> {
        match &self.sim().storage {
            Storage::Memory(_) => self.sim().scope.clone(),
            Storage::Disk(_) | Storage::Own(_) => self.opened().exclusive_scope(),
        }
    }

    /// Ends the life. The last life of a process closes the store, which is a crash point too. A
    /// verifying life leaves it open for inspection.
    pub(crate) fn leave(&self) {
        let host = &self.shared.host;
        if host.lives() == 1 && self.sim().state().injecting {
            self.set_operation(Activity::Closing);
            host.release_store();
        }
        if !self.is_dead() {
            host.leave();
            self.shared.has_left.store(true, Ordering::Relaxed);
            self.sim().state().leave_behind(1);
        }
    }

    /// Names the next operation of the store.
    pub(crate) fn set_operation(&self, what: Activity) {
        self.shared.host.set_operation(self.life(), what);
    }

    /// Records a failure of the store under test, if the process lives and no fault of the schedule
    /// caused it.
    pub(crate) fn record_store_failure(&self, error: &Error) {
        if self.host().has_failing_disk() {
            return;
        }
        let kind = error.store_error().map(crashpoint::StoreError::kind);
        if kind != Some(StoreErrorKind::Conflict) {
            self.record(What::StoreFailed(error.to_string()));
        }
    }

    /// Finds out whether the change that a crash interrupted is durable.
    fn settle(&self) -> Result<(), Error> {
        let under_way = self.sim().state().lasting.under_way.take();
        let Some((life, change)) = under_way else {
            return Ok(());
        };
        let rows = self
            .opened()
            .load_run(&self.sim().id_of(life))
            .now_or_never();
        let rows = rows.expect("the store answers at once");
        let mut state = self.sim().state();
        let rows = rows.inspect_err(|_| {
            // The next life finds out.
            state.lasting.under_way = Some((life, change.clone()));
        })?;
        let run = state.lasting.run_of_life.of(life);
        let is_known = |row| has_landed(state.lasting.entries_of(run), row);
        let what = match change {
            Change::Append(row) if rows.contains(&*row) && !is_known(&row) => What::Landed(row),
            Change::Clear if rows.is_empty() => What::Cleared,
            _ => return Ok(()),
        };
        state.lasting.history.push(life, what);
        Ok(())
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.shared.host.is_dead()
    }

    /// Records an event of this life, and stops a life that is endless.
    pub(crate) fn record(&self, what: What) {
        if self.is_dead() {
            return;
        }
        if self.sim().has_room() {
            self.sim().record(self.life(), what);
        } else {
            self.stop(Stopped::Endless);
        }
    }

    /// Stops this process, unless it is dead. From here on it has no effect.
    pub(crate) fn stop(&self, why: Stopped) {
        if !self.is_dead() {
            self.sim().record(self.life(), What::Stopped(why));
            self.end();
        }
    }

    /// A function that [stops](Self::stop) this process, without keeping it alive.
    #[cfg(feature = "tokio")]
    pub(crate) fn stopper(&self) -> impl Fn(Stopped) + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move |why| {
            if let Some(shared) = shared.upgrade() {
                Self { shared }.stop(why);
            }
        }
    }

    /// The life panicked outside of its tasks, which ends it.
    pub(crate) fn panicked(&self, message: String) {
        if !self.is_dead() {
            self.sim().record(self.life(), What::Panicked(message));
            self.end();
        }
    }

    /// Ends this process: from here on it has no effect.
    pub(crate) fn end(&self) {
        let sim = self.sim();
        sim.state().leave_behind(self.host().kill());
        sim.executor.notify();
    }

    pub(crate) fn set_activity(&self, what: Activity) {
        *lock(&self.shared.activity) = what;
    }

    /// An instant in an async operation. Yields if lives race, then decides what happens and
    /// applies it. Returns a fault of the operation, which the caller applies.
    pub(crate) async fn point<F: Copy + Into<Fault>>(&self, instant: Instant<'_, F>) -> Option<F> {
        #[cfg(madsim)]
        if let Some(node) = &self.shared.node {
            (node.pace)().await;
        }
        self.hang_if_dead().await;
        if self.waits_for_turns() || self.sim().state().alive > 1 {
            self.yield_turn(&instant).await;
        }
        match self.decide(&instant)? {
            Offer::Operation(fault) => return Some(fault),
            Offer::Ambient(Ambient::Crash(_) | Ambient::PowerLoss(_)) => self.hang_if_dead().await,
            Offer::Ambient(Ambient::Takeover) => self.yield_turn(&instant).await,
            Offer::Ambient(Ambient::Cancel | Ambient::Clock(_)) => {}
        }
        None
    }

    /// An instant outside of any await: the process may be dead afterwards.
    pub(crate) fn instant(&self, what: &Activity, when: &'static str) {
        if !self.is_dead() {
            self.decide(&Instant::at(what, when));
        }
    }

    /// Whether the current task waits for its turn at each instant. A spawned task does so only if
    /// a schedule may choose another order.
    fn waits_for_turns(&self) -> bool {
        let drawn = || self.sim().state().draws_orders();
        self.sim().has_turns && (lane::spawned_task().is_none() || drawn())
    }

    /// Whether a task of the life itself, and none that it spawned, waits for its turn.
    pub(crate) fn has_own_turns(&self) -> bool {
        self.sim().has_turns && self.shared.turns.has_own()
    }

    /// Gives one of the waiting tasks the turn, and returns it.
    pub(crate) fn grant(&self) -> Option<Task> {
        let candidates = self.shared.turns.candidates();
        let (first, others) = candidates.split_first()?;
        let mut state = self.sim().state();
        let chosen = state.choose_order(self.life(), &first.position, others.len());
        drop(state);
        let chosen = chosen.map_or(first, |at| &others[at]);
        self.shared.turns.grant(chosen);
        Some(chosen.task)
    }

    /// A task of this process returned pending. That is an instant, unless the task only yielded or
    /// waits for its turn. Returns how often the life has waited, if it does.
    pub(crate) fn pending(&self) -> Option<Waits> {
        let yielded = self.shared.yielded.swap(false, Ordering::Relaxed);
        if yielded || self.is_dead() || self.has_own_turns() {
            return None;
        }
        let activity = lock(&self.shared.activity).clone();
        self.instant(&activity, "pending");
        let now = self.sim().executor.now();
        let mut waits = lock(&self.shared.waits);
        waits.count += 1;
        waits.last = now - waits.since;
        waits.since = now;
        Some(*waits)
    }

    /// The schedule makes the current attempt panic.
    pub(crate) fn panic_by_fault(&self) {
        self.shared.panics_by_fault.store(true, Ordering::Relaxed);
    }

    /// Whether the schedule made the current attempt panic.
    pub(crate) fn panics_by_fault(&self) -> bool {
        self.shared.panics_by_fault.swap(false, Ordering::Relaxed)
    }

    /// Spawned tasks of this process may have run: that is an instant.
    pub(super) fn ran_by_itself(&self, spawned: bool) {
        self.shared.yielded.store(false, Ordering::Relaxed);
        if spawned && !self.is_dead() {
            let activity = lock(&self.shared.activity).clone();
            self.instant(&activity, "spawned");
        }
    }

    /// Decides what happens at an instant, and applies it, unless it is a fault of the operation.
    pub(crate) fn decide<F: Copy + Into<Fault>>(
        &self,
        instant: &Instant<'_, F>,
    ) -> Option<Offer<F>> {
        let decided = self.sim().decide(&self.shared.host, self.life(), instant)?;
        if let Offer::Ambient(Ambient::Cancel) = decided {
            self.shared.cancel.cancel();
        }
        Some(decided)
    }

    pub(crate) async fn hang_if_dead(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// The instant at which the life waits while others may run: the action, and the place.
    pub(crate) fn position(&self) -> (Activity, &'static str) {
        if let Some(first) = self.shared.turns.candidates().into_iter().next() {
            return first.position;
        }
        let yields_at = lock(&self.shared.yields_at).clone();
        yields_at.unwrap_or_else(|| (lock(&self.shared.activity).clone(), "waits"))
    }

    async fn yield_turn<F>(&self, instant: &Instant<'_, F>) {
        if self.waits_for_turns() {
            self.shared.turns.turn(instant).await;
            return self.hang_if_dead().await;
        }
        *lock(&self.shared.yields_at) = Some((instant.what.clone(), instant.when));
        YieldOnce {
            process: self,
            gave: false,
        }
        .await;
        *lock(&self.shared.yields_at) = None;
        self.hang_if_dead().await;
    }
}

/// A future that is pending once, and then ready.
struct YieldOnce<'a> {
    process: &'a Process,
    gave: bool,
}

impl Future for YieldOnce<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gave {
            return Poll::Ready(());
        }
        self.gave = true;
        self.process.shared.yielded.store(true, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process")
            .field("life", &self.life())
            .finish_non_exhaustive()
    }
}
