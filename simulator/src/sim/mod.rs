//! One simulation: its processes, its instants, and the decision of what happens there.

mod activity;
mod attempts;
mod file;
mod host;
mod independence;
mod instant;
mod lane;
mod observer;
mod own_store;
mod process;
mod recovery;
mod release;
mod resumption;
mod run;
mod runs;
mod service;
mod settings;
mod state;
mod store;
mod store_kind;
mod subject;
mod survivor;
mod turns;
mod watch;
mod workload;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crashpoint::{CheckpointStore, Ctx, Direction, MemoryCheckpointStore, ScopeId};
use smol_str::SmolStr;

use crate::choices::Choices;
use crate::disk::SimDisk;
use crate::executor::{Executor, lock};
use crate::fault::{ClockFault, Crash, Fault};
use crate::history::What;
use crate::sim::host::Host;

pub(crate) use activity::Activity;
pub(crate) use independence::Repeats;
pub(crate) use instant::{Ambient, Instant, Offer};
pub use lane::Lane;
pub use observer::SimObserver;
pub use own_store::OwnStore;
#[cfg(madsim)]
pub(crate) use process::Node;
pub use process::Process;
pub use release::{Release, Rollout, UnknownRollout, Upgrade};
pub(crate) use resumption::resumptions;
pub use resumption::{LogPhase, LogPlace, PermittedRefusals, Resumption};
pub(crate) use run::{Explored, simulate_forking};
pub use run::{Run, simulate, simulate_with};
pub use runs::RunOfLife;
pub(crate) use runs::run_id;
pub use service::{Service, ServiceError};
pub use settings::{Repeat, Settings, Snapshot, Snapshots, Watch};
pub use state::Took;
pub(crate) use state::{Change, Lasting, Late, State};
pub use store::SimStore;
pub use store_kind::{StoreKind, UnknownStore};
pub use subject::{BrokenInvariant, Subject};
pub(crate) use survivor::{Key, Survivor};
pub use workload::{
    ActsOn, CalmEnding, Deadline, Length, OddEnding, Panics, Sharing, WAITS_MAX, Workload,
};

/// How long a machine sleeps in a clock fault.
const LEAP: Duration = Duration::from_secs(60 * 60);

/// The longest history. Those of correct runs have a tenth of these entries at most.
const ENTRIES_MAX: usize = 3_000;

/// A source of choices that outlives its simulation.
pub(crate) type SharedChoices = Arc<Mutex<dyn Choices>>;

/// What the processes of a simulation share.
pub(crate) struct Sim {
    /// The id of each run.
    pub(crate) ids: Vec<SmolStr>,
    pub(crate) executor: Executor,
    pub(crate) nonces: Arc<AtomicU64>,
    /// The current error of the wall clock, in milliseconds.
    pub(crate) clock_skew_ms: Arc<AtomicI64>,
    /// The storage, which survives crashes.
    pub(crate) storage: Storage,
    /// Whether the operating system omits syncs, for a canary.
    pub(crate) without_barriers: bool,
    /// The scope of an exclusively held store.
    pub(crate) scope: Option<ScopeId>,
    /// Whether tasks act on a world outside the simulation, which dead processes must not reach.
    pub(crate) foreign_world: bool,
    /// The meaning of a panicking task.
    pub(crate) panics: Panics,
    /// Whether the tasks of a life wait at each instant for their turn.
    pub(crate) has_turns: bool,
    /// Where polls of tasks are noted that wait for something outside.
    pub(crate) watch: Watch,
    /// Where the clock and the subject's world are taken down at each instant.
    snapshots: Snapshots,
    /// For each run the number of attempts of each task that never fails for good.
    pub(crate) pivots: Vec<BTreeMap<SmolStr, u32>>,
    /// The subject that runs in the processes.
    pub(crate) subject: Option<Arc<dyn Subject>>,
    state: Mutex<State>,
}

/// The storage of a simulation, which survives a crash.
pub(crate) enum Storage {
    /// The store itself.
    Memory(Arc<MemoryCheckpointStore>),
    /// The disk on which each process opens its own store, one process at a time.
    Disk(SimDisk),
    /// A store of the user's own, which each process opens.
    Own(own_store::OwnStorage),
}

impl Sim {
    pub(crate) fn new(scope: Option<ScopeId>, choices: SharedChoices, settings: &Settings) -> Self {
        Self {
            ids: vec![run_id(0)],
            executor: Executor::default(),
            nonces: Arc::default(),
            clock_skew_ms: Arc::default(),
            storage: Storage::of(settings.store),
            without_barriers: settings.store == StoreKind::RedbWithoutBarriers,
            scope,
            foreign_world: false,
            panics: Panics::Fail,
            has_turns: false,
            watch: settings.watch.clone(),
            snapshots: settings.snapshots.clone(),
            pivots: Vec::new(),
            subject: None,
            state: Mutex::new(State::new(Lasting::new(settings.budget), choices, settings)),
        }
    }

    /// A simulation that continues from `survivor`.
    pub(crate) fn after(
        survivor: Survivor,
        scope: Option<ScopeId>,
        choices: SharedChoices,
        settings: &Settings,
    ) -> Self {
        let Survivor {
            kept,
            now,
            nonces,
            lasting,
            subject: _,
        } = survivor;
        assert!(lasting.lives > 0, "a crash ends a life that has begun");
        Self {
            ids: vec![run_id(0)],
            executor: Executor::beginning_at(now),
            nonces: Arc::new(AtomicU64::new(nonces)),
            clock_skew_ms: Arc::new(AtomicI64::new(lasting.clock_skew_ms)),
            storage: kept.into_storage(),
            without_barriers: settings.store == StoreKind::RedbWithoutBarriers,
            scope,
            foreign_world: false,
            panics: Panics::Fail,
            has_turns: false,
            watch: settings.watch.clone(),
            snapshots: settings.snapshots.clone(),
            pivots: Vec::new(),
            subject: None,
            state: Mutex::new(State::new(lasting, choices, settings)),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The id of the run of a life.
    pub(crate) fn id_of(&self, life: u32) -> SmolStr {
        let run = self.state().lasting.run_of_life.of(life);
        self.ids[run].clone()
    }

    /// Whether this is the last attempt of a forward action of a run that never fails for good; `None` if it may
    /// fail for good.
    pub(crate) fn is_last_of_pivot(&self, run: usize, ctx: &Ctx) -> Option<bool> {
        let attempts = *self.pivots.get(run)?.get(ctx.task())?;
        (ctx.direction() == Direction::Do).then(|| ctx.attempt() >= attempts)
    }

    /// Adds an event to the history.
    pub(crate) fn record(&self, life: u32, what: What) {
        let mut state = self.state();
        assert!(
            life <= state.lasting.lives,
            "what happens belongs to a life that has begun, or to nobody"
        );
        let ends = matches!(&what, What::Returned(end) if end.is_outcome());
        state.see(life, &what, self.executor.now());
        state.lasting.history.push(life, what);
        if ends && (0..self.ids.len()).all(|run| state.lasting.outcome_of(run).is_some()) {
            state.lasting.ends_at(self.executor.now());
        }
    }

    /// Whether the history has room for more events. A life that fills it is endless.
    pub(crate) fn has_room(&self) -> bool {
        self.state().lasting.history.0.len() < ENTRIES_MAX
    }

    /// Decides what happens at an instant of `life`, and applies it, unless it is a fault of the
    /// operation. The caller must stop if the process is dead afterwards.
    pub(crate) fn decide<F: Copy + Into<Fault>>(
        &self,
        host: &Host,
        life: u32,
        instant: &Instant<'_, F>,
    ) -> Option<Offer<F>> {
        self.check_now(life);
        self.take_snapshot();
        let disk = self.storage.disk();
        let power = disk.filter(|disk| instant.power && disk.has_unsynced());
        let mut state = self.state();
        let power_loss = Fault::Crash(Crash::PowerLoss);
        let power = power.filter(|_| state.left_out.permits(power_loss));
        // A pending rival begins beside the dead.
        assert!(
            !state.injecting || host.lives() <= state.alive,
            "the lives of a process are among the living"
        );
        let everybody = host.lives() == state.alive && state.rival_wanted.is_none();
        let (forked, now) = (everybody.then_some(self), self.executor.now());
        let decided = state.decide(life, instant, power, forked, now)?;
        state.lasting.fault_at(now);
        let Offer::Ambient(ambient) = decided else {
            return Some(decided);
        };
        match ambient {
            Ambient::Crash(Crash::Process) => self.kill(&mut state, host),
            Ambient::Crash(Crash::PowerLoss) => {
                self.kill(&mut state, host);
                disk.into_iter().for_each(SimDisk::lose_power);
            }
            Ambient::PowerLoss(loss) => {
                self.kill(&mut state, host);
                disk.into_iter().for_each(|disk| disk.lose_power_but(&loss));
            }
            Ambient::Takeover => {
                state.rival_wanted = Some(state.lasting.run_of_life.of(life));
                self.executor.notify();
            }
            Ambient::Clock(ClockFault::Ahead | ClockFault::Back) => {
                let skew_ms = state.lasting.clock_skew_ms;
                self.clock_skew_ms.store(skew_ms, Ordering::Relaxed);
            }
            Ambient::Clock(ClockFault::Sleep) => {
                self.executor.leap(LEAP);
                state.lasting.fault_at(self.executor.now());
            }
            // The process cancels its own token.
            Ambient::Cancel => {}
        }
        Some(decided)
    }

    /// Records the invariants of the subject that are broken now, each once.
    fn check_now(&self, life: u32) {
        let broken = self.subject.as_ref().map(|subject| subject.broken_now());
        for BrokenInvariant { name, message } in broken.into_iter().flatten() {
            let name = SmolStr::from(name);
            let is_of = |what: &What| matches!(what, What::Broken { name: of, .. } if *of == name);
            let mut state = self.state();
            let history = &mut state.lasting.history;
            if !history.0.iter().any(|entry| is_of(&entry.what)) {
                history.push(life, What::Broken { name, message });
            }
        }
    }

    /// Takes down the clock and the subject's world, if somebody wants to know.
    fn take_snapshot(&self) {
        let Snapshots::Into(taken) = &self.snapshots else {
            return;
        };
        let (events, clock_skew_ms) = {
            let lasting = &self.state().lasting;
            (lasting.history.0.len(), lasting.clock_skew_ms)
        };
        let subject = self.subject.as_ref();
        lock(taken).push(Snapshot {
            events,
            time: self.executor.now(),
            clock_skew_ms,
            world: subject.and_then(|subject| subject.world()),
        });
    }

    fn kill(&self, state: &mut State, host: &Host) {
        state.leave_behind(host.kill());
        state.phantoms.clear();
        self.executor.notify();
    }

    /// Removes the disk's fault.
    pub(crate) fn mend_disk(&self) {
        if let Some(disk) = self.storage.disk() {
            disk.mend();
        }
    }

    /// Delivers the changes that are due, or all of them. An exclusively held store has none,
    /// because it settles earlier changes.
    async fn deliver(&self, all: bool) {
        let store: Arc<dyn CheckpointStore> = match &self.storage {
            Storage::Memory(store) => Arc::clone(store) as _,
            Storage::Own(own) if !self.state().lasting.late.is_empty() => own.open(),
            Storage::Own(_) | Storage::Disk(_) => return,
        };
        loop {
            let late = {
                let mut state = self.state();
                let now = state.lasting.operations;
                let due = state
                    .lasting
                    .late
                    .iter()
                    .position(|late| all || late.due <= now);
                due.map(|index| state.lasting.late.remove(index))
            };
            let Some(Late { life, change, .. }) = late else {
                return;
            };
            assert!(life > 0, "a change on its way was sent by a life");
            let id = self.id_of(life);
            let (landed, what) = match change {
                Change::Append(row) => {
                    let landed = store.append(&id, (*row).clone()).await;
                    (landed, What::Landed(row))
                }
                Change::Clear => (store.clear(&id).await, What::Cleared),
            };
            // A late append usually finds its sequence taken.
            if landed.is_ok() {
                self.record(life, what);
            }
        }
    }
}

impl Storage {
    fn of(store: StoreKind) -> Self {
        match store.disk() {
            None => Self::Memory(Arc::default()),
            Some(lie) => Self::Disk(SimDisk::new(lie)),
        }
    }

    /// Whether one process at a time can have the store open.
    fn is_exclusive(&self) -> bool {
        match self {
            Self::Memory(_) => false,
            Self::Disk(_) => true,
            Self::Own(own) => own.is_exclusive(),
        }
    }

    fn disk(&self) -> Option<&SimDisk> {
        match self {
            Self::Memory(_) | Self::Own(_) => None,
            Self::Disk(disk) => Some(disk),
        }
    }
}
