//! A process of a simulation: what a subject is given, and what dies in a crash.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use crashpoint::{
    CancelToken, CheckpointStore, Ctx, Error, RedbCheckpointStore, ScopeId, StoreErrorKind,
};
use futures_util::FutureExt as _;

use crate::choices::Exhaustive;
use crate::executor::{SimRuntime, lock};
use crate::fault::Fault;
use crate::history::{Effect, Reception, Stopped, What};
use crate::sim::file::HostDisk;
use crate::sim::host::Host;
use crate::sim::observer::SimObserver;
use crate::sim::store::SimStore;
use crate::sim::{Activity, Ambient, Change, Instant, Offer, Settings, Sim, Storage, WORKFLOW_ID};

/// One process, which runs one life. Clones are the same process.
///
/// From the instant of its crash nothing that it does has any effect: its store and its effects
/// never answer, what it observes is not recorded, and its futures are dropped as soon as they
/// have returned.
#[derive(Clone)]
pub struct Process {
    shared: Arc<Shared>,
}

struct Shared {
    sim: Arc<Sim>,
    life: u32,
    host: Arc<Host>,
    /// Set while a task is pending only because it gave way to another life.
    gave_way: AtomicBool,
    /// Set while the panic of an attempt is the schedule's.
    panics_by_fault: AtomicBool,
    cancel: CancelToken,
    activity: Mutex<Activity>,
    /// The instant at which it gives way: what is done there, and when.
    giving_way: Mutex<Option<(Activity, &'static str)>>,
}

impl Process {
    pub(crate) fn new(sim: Arc<Sim>, life: u32, host: Arc<Host>) -> Self {
        host.enter();
        Self {
            shared: Arc::new(Shared {
                sim,
                life,
                host,
                gave_way: AtomicBool::new(false),
                panics_by_fault: AtomicBool::new(false),
                cancel: CancelToken::new(),
                activity: Mutex::default(),
                giving_way: Mutex::default(),
            }),
        }
    }

    /// A process that belongs to no simulation, to look at a definition with.
    pub(crate) fn detached() -> Self {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let sim = Sim::new(None, choices, &Settings::default());
        Self::new(Arc::new(sim), 1, Arc::default())
    }

    /// Which life this process runs, from 1.
    pub fn life(&self) -> u32 {
        self.shared.life
    }

    /// The id of the run.
    pub fn workflow_id(&self) -> &'static str {
        WORKFLOW_ID
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

    /// The observer through which the oracles see an engine's life.
    pub fn observer(&self) -> SimObserver {
        SimObserver::new(self.clone())
    }

    /// The token through which a schedule cancels the run in this process.
    pub fn cancel_token(&self) -> CancelToken {
        self.shared.cancel.clone()
    }

    /// Performs an outside effect of a task: it goes to the ledger, which survives crashes, and
    /// the instants before and after it are crash points.
    ///
    /// # Panics
    ///
    /// Never: a dead process does not come out of the instant before the effect.
    pub async fn effect(&self, ctx: &Ctx, name: &str, payload: &str) -> Reception {
        let mut effect = Effect::of(ctx, name, payload);
        let what = Activity::of(ctx);
        self.point(Instant::at(&what, "before-effect")).await;
        assert!(
            !self.is_dead(),
            "a dead life never comes out of the instant before its effect"
        );
        effect.reception = self.sim().state().lasting.world.receive(&effect);
        let reception = effect.reception;
        self.record(What::Effect(Arc::new(effect)));
        self.point(Instant::at(&what, "after-effect")).await;
        reception
    }

    /// Counts up a counter of the world, and says how often it was counted before, in any life. A
    /// dead process counts nothing.
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

    /// Opens the store, where the host has it not open already.
    pub(crate) fn open_store(&self) -> Result<(), Error> {
        let host = &self.shared.host;
        if host.store().is_some() {
            return Ok(());
        }
        match &self.sim().storage {
            Storage::Memory(store) => host.set_store(Arc::clone(store) as Arc<dyn CheckpointStore>),
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

    /// What the host has open. A process that is dead by now has nothing that could be reached.
    pub(crate) fn opened(&self) -> Arc<dyn CheckpointStore> {
        let store = self.shared.host.store();
        store.expect("a life has its store open")
    }

    /// The scope that the lives of this process share, where they hold the store exclusively.
    pub(crate) fn scope(&self) -> Option<ScopeId> {
        match &self.sim().storage {
            Storage::Memory(_) => self.sim().scope.clone(),
            Storage::Disk(_) => self.opened().exclusive_scope(),
        }
    }

    /// The life has ended: the last one of a process closes the store, which is a place to crash
    /// as well. One that verifies leaves it open to be looked at.
    pub(crate) fn leave(&self) {
        let host = &self.shared.host;
        if host.lives() == 1 && self.sim().state().injecting {
            self.set_operation(Activity::Closing);
            host.release_store();
        }
        if !self.is_dead() {
            host.leave();
            self.sim().state().leave_behind(1);
        }
    }

    /// Names the operation that the store performs next.
    pub(crate) fn set_operation(&self, what: Activity) {
        self.shared.host.set_operation(self.life(), what);
    }

    /// The store under test failed, and the process lives: it may not have, where nothing was made to
    /// fail.
    pub(crate) fn record_store_failure(&self, error: &Error) {
        if self.host().has_failing_disk() {
            return;
        }
        let kind = error.store_error().map(crashpoint::StoreError::kind);
        if kind != Some(StoreErrorKind::Conflict) {
            self.record(What::StoreFailed(error.to_string()));
        }
    }

    /// Finds out what became of the change that a crash interrupted.
    fn settle(&self) -> Result<(), Error> {
        let under_way = self.sim().state().lasting.under_way.take();
        let Some((life, change)) = under_way else {
            return Ok(());
        };
        let rows = self.opened().load_run(WORKFLOW_ID).now_or_never();
        let rows = rows.expect("the store answers at once");
        let mut state = self.sim().state();
        let rows = rows.inspect_err(|_| {
            // The next one finds out.
            state.lasting.under_way = Some((life, change.clone()));
        })?;
        let what = match change {
            Change::Append(row)
                if rows.contains(&*row) && !state.lasting.history.has_landed(&row) =>
            {
                What::Landed(row)
            }
            Change::Clear if rows.is_empty() => What::Cleared,
            _ => return Ok(()),
        };
        state.lasting.history.push(life, what);
        Ok(())
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.shared.host.is_dead()
    }

    /// Records what this life did or heard. One that goes in circles ends here.
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

    /// Ends this process, unless it is dead already. Nothing that it does from here on has any effect.
    pub(crate) fn stop(&self, why: Stopped) {
        if !self.is_dead() {
            self.sim().record(self.life(), What::Stopped(why));
            self.end();
        }
    }

    /// What [stops](Self::stop) this process, for somebody who must not keep it alive.
    #[cfg(feature = "tokio")]
    pub(crate) fn stopper(&self) -> impl Fn(Stopped) + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move |why| {
            if let Some(shared) = shared.upgrade() {
                Self { shared }.stop(why);
            }
        }
    }

    /// The life has panicked outside of its tasks, which ends it.
    pub(crate) fn panicked(&self, message: String) {
        if !self.is_dead() {
            self.sim().record(self.life(), What::Panicked(message));
            self.end();
        }
    }

    /// Nothing that this process does from here on has any effect.
    pub(crate) fn end(&self) {
        let sim = self.sim();
        sim.state().leave_behind(self.host().kill());
        sim.executor.notify();
    }

    pub(crate) fn set_activity(&self, what: Activity) {
        *lock(&self.shared.activity) = what;
    }

    /// An instant in an async operation: gives way where lives race, then decides what happens and
    /// applies it. Returns a fault of the operation, which the caller carries out.
    pub(crate) async fn point<F: Copy + Into<Fault>>(&self, instant: Instant<'_, F>) -> Option<F> {
        self.unless_dead().await;
        if self.sim().state().alive > 1 {
            self.give_way(&instant).await;
        }
        match self.decide(&instant)? {
            Offer::Operation(fault) => return Some(fault),
            Offer::Ambient(Ambient::Crash(_) | Ambient::PowerLoss(_)) => self.unless_dead().await,
            Offer::Ambient(Ambient::Takeover) => self.give_way(&instant).await,
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

    /// A task of this process returned pending: unless it only gave way, that is an instant.
    pub(crate) fn pending(&self) {
        if !self.shared.gave_way.swap(false, Ordering::Relaxed) && !self.is_dead() {
            let activity = lock(&self.shared.activity).clone();
            self.instant(&activity, "pending");
        }
    }

    /// The attempt that is under way is about to panic, because the schedule says so.
    pub(crate) fn panic_by_fault(&self) {
        self.shared.panics_by_fault.store(true, Ordering::Relaxed);
    }

    /// Whether the attempt that has just panicked did so because the schedule says so.
    pub(crate) fn panics_by_fault(&self) -> bool {
        self.shared.panics_by_fault.swap(false, Ordering::Relaxed)
    }

    /// What this process has spawned, if anything, may have gone on: that is an instant.
    pub(super) fn ran_by_itself(&self, spawned: bool) {
        self.shared.gave_way.store(false, Ordering::Relaxed);
        if spawned && !self.is_dead() {
            let activity = lock(&self.shared.activity).clone();
            self.instant(&activity, "spawned");
        }
    }

    /// Decides what happens at an instant, and applies it unless it is a fault of the operation.
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

    pub(crate) async fn unless_dead(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// The instant at which the life stands while others may go on: what it does there, and when.
    pub(crate) fn standing(&self) -> (Activity, &'static str) {
        let giving_way = lock(&self.shared.giving_way).clone();
        giving_way.unwrap_or_else(|| (lock(&self.shared.activity).clone(), "waits"))
    }

    async fn give_way<F>(&self, instant: &Instant<'_, F>) {
        *lock(&self.shared.giving_way) = Some((instant.what.clone(), instant.when));
        GiveWay {
            process: self,
            gave: false,
        }
        .await;
        *lock(&self.shared.giving_way) = None;
        self.unless_dead().await;
    }
}

/// Pending once, and ready at once.
struct GiveWay<'a> {
    process: &'a Process,
    gave: bool,
}

impl Future for GiveWay<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.gave {
            return Poll::Ready(());
        }
        self.gave = true;
        self.process.shared.gave_way.store(true, Ordering::Relaxed);
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
