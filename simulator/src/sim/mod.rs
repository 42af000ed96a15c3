//! One simulation: its processes, its instants, and who decides what happens there.

mod attempts;
mod file;
mod host;
mod instant;
mod observer;
mod process;
mod run;
mod state;
mod store;
mod survivor;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint_engine::{CheckpointStore as _, MemoryCheckpointStore, ScopeId};

use crate::choices::Choices;
use crate::disk::SimDisk;
use crate::executor::{Executor, lock};
use crate::fault::Fault;
use crate::history::{ENDLESS, What};
use crate::sim::host::Host;
use crate::store_kind::StoreKind;

pub(crate) use instant::Instant;
pub use observer::SimObserver;
pub use process::Process;
pub(crate) use run::simulate_forking;
pub use run::{Repeat, Run, Settings, simulate};
pub(crate) use state::{Change, Lasting, Late, State};
pub use store::SimStore;
pub(crate) use survivor::{Key, Survivor};

/// The id of the run that every simulation is about.
pub(crate) const WORKFLOW_ID: &str = "run-1";

/// What happens in the longest simulations is a tenth of this.
const ENTRIES_MAX: usize = 3_000;

/// A source of choices that outlives the simulation that draws from it.
pub(crate) type SharedChoices = Arc<Mutex<dyn Choices>>;

/// What the processes of a simulation share.
pub(crate) struct Sim {
    pub(crate) executor: Executor,
    pub(crate) nonces: Arc<AtomicU64>,
    /// What survives.
    pub(crate) storage: Storage,
    /// The scope that the processes hold the store in, where they hold it exclusively.
    pub(crate) scope: Option<ScopeId>,
    /// Whether tasks act on a world that is not the simulation's own, which the dead must not reach.
    pub(crate) foreign_world: bool,
    state: Mutex<State>,
}

/// What survives a crash.
pub(crate) enum Storage {
    /// The store itself.
    Memory(Arc<MemoryCheckpointStore>),
    /// The disk that each process opens its own store on, one process at a time.
    Disk(SimDisk),
}

impl Sim {
    pub(crate) fn new(scope: Option<ScopeId>, choices: SharedChoices, settings: &Settings) -> Self {
        Self {
            executor: Executor::default(),
            nonces: Arc::default(),
            storage: Storage::of(settings.store),
            scope,
            foreign_world: false,
            state: Mutex::new(State::new(Lasting::new(settings.budget), choices, settings)),
        }
    }

    /// The simulation that goes on where `survivor` was left.
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
        } = survivor;
        Self {
            executor: Executor::beginning_at(now),
            nonces: Arc::new(AtomicU64::new(nonces)),
            storage: kept.into_storage(),
            scope,
            foreign_world: false,
            state: Mutex::new(State::new(lasting, choices, settings)),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts down what happened.
    pub(crate) fn record(&self, life: u32, what: What) {
        self.state().lasting.history.push(life, what);
    }

    /// Puts down what a life did or heard.
    ///
    /// # Panics
    ///
    /// Where far too much has happened: the life goes in circles, and this ends it.
    pub(crate) fn record_life(&self, life: u32, what: What) {
        let mut state = self.state();
        let history = &mut state.lasting.history;
        assert!(history.0.len() < ENTRIES_MAX, "{ENDLESS}");
        history.push(life, what);
    }

    /// Draws which of `n` ready tasks goes on; the first is the one that ran last.
    pub(crate) fn choose_task(&self, n: usize, preempts: bool) -> usize {
        let mut state = self.state();
        if preempts && state.lasting.budget.preemptions == 0 {
            return 0;
        }
        let chosen = state.choose("schedule", n);
        if preempts && chosen != 0 {
            state.lasting.budget.preemptions -= 1;
        }
        chosen
    }

    /// Lets happen at an instant of `life` what is decided. Whoever is dead afterwards has to stop.
    pub(crate) fn decide(&self, host: &Host, life: u32, instant: &Instant<'_>) -> Option<Fault> {
        let disk = self.storage.disk();
        let power = instant.power && disk.is_some_and(SimDisk::has_unsynced);
        let mut state = self.state();
        // A rival that is wanted begins beside the dead.
        let everybody = host.lives() == state.alive && !state.rival_wanted;
        let fault = state.decide(life, instant, power, everybody.then_some(self))?;
        match fault {
            Fault::Crash | Fault::PowerLoss => {
                state.alive -= host.kill();
                state.phantoms.clear();
            }
            Fault::Takeover => state.rival_wanted = true,
            _ => {}
        }
        if fault == Fault::PowerLoss {
            disk.into_iter().for_each(SimDisk::lose_power);
        }
        Some(fault)
    }

    /// Lets the appends that are due land, or all of them. A store that one process holds settles
    /// what was begun, so there are none for it.
    async fn deliver(&self, all: bool) {
        let Storage::Memory(store) = &self.storage else {
            return;
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
            let Some(Late { life, row, .. }) = late else {
                return;
            };
            // A taken sequence is the ordinary fate of a late append.
            if store.append(WORKFLOW_ID, row.clone()).await.is_ok() {
                self.record(life, What::Landed(row));
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

    fn disk(&self) -> Option<&SimDisk> {
        match self {
            Self::Memory(_) => None,
            Self::Disk(disk) => Some(disk),
        }
    }
}
