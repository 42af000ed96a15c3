//! One simulation: its processes, its instants, and who decides what happens there.

mod file;
mod host;
mod observer;
mod process;
mod run;
mod store;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint_engine::{CheckpointRow, CheckpointStore, MemoryCheckpointStore, ScopeId};

use crate::choices::{Choices, Taped};
use crate::disk::SimDisk;
use crate::executor::{Executor, lock};
use crate::fault::{Budget, Fault, Fired};
use crate::history::{History, What};
use crate::recorder::Recorder;
use crate::sim::host::Host;
use crate::store_kind::StoreKind;
use crate::world::World;

pub use observer::SimObserver;
pub use process::Process;
pub use run::{Run, Settings, simulate};
pub use store::SimStore;

/// The id of the run that every simulation is about.
pub(crate) const WORKFLOW_ID: &str = "run-1";

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
    state: Mutex<State>,
}

/// What survives a crash.
pub(crate) enum Storage {
    /// The store itself.
    Memory(Arc<MemoryCheckpointStore>),
    /// The disk that each process opens its own store on, one process at a time.
    Disk(SimDisk),
}

pub(crate) struct State {
    choices: Taped<Drawn>,
    pub(crate) budget: Budget,
    pub(crate) recorder: Recorder,
    pub(crate) history: History,
    pub(crate) world: World,
    /// Whether instants may be faults; not while a run is verified.
    pub(crate) injecting: bool,
    /// An instant at which the injector is told to offer no crash: for the test of the recorder.
    skip: Option<String>,
    /// How often each instant was passed, by life.
    passed: BTreeMap<String, u32>,
    /// Appends on their way to the store.
    late: Vec<Late>,
    /// How many operations the store has been asked for.
    operations: u64,
    /// Rows that loads show although they are not durable.
    phantoms: Vec<CheckpointRow>,
    /// The change of the log that is under way: after a crash, who knows.
    pub(crate) under_way: Option<(u32, Change)>,
    /// Lives that are alive.
    pub(crate) alive: u32,
    pub(crate) lives: u32,
    pub(crate) rival_wanted: bool,
}

/// A change of the log.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Append(CheckpointRow),
    Clear,
}

/// An append on its way to the store.
struct Late {
    due: u64,
    life: u32,
    row: CheckpointRow,
}

/// The shared choices as a source of their own.
struct Drawn(SharedChoices);

impl Choices for Drawn {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        lock(&self.0).choose(label, n)
    }
}

impl Sim {
    pub(crate) fn new(scope: Option<ScopeId>, choices: SharedChoices, settings: &Settings) -> Self {
        Self {
            executor: Executor::default(),
            nonces: Arc::default(),
            storage: Storage::of(settings.store),
            scope,
            state: Mutex::new(State {
                choices: Taped::new(Drawn(choices)),
                budget: settings.budget,
                recorder: Recorder::new(settings.budget.counted_depth()),
                history: History::default(),
                world: World::default(),
                injecting: true,
                skip: settings.skip.clone(),
                passed: BTreeMap::new(),
                late: Vec::new(),
                operations: 0,
                phantoms: Vec::new(),
                under_way: None,
                alive: 0,
                lives: 0,
                rival_wanted: false,
            }),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn record(&self, life: u32, what: What) {
        self.state().history.push(life, what);
    }

    /// Draws which of `n` ready tasks goes on; the first is the one that ran last.
    pub(crate) fn choose_task(&self, n: usize, preempts: bool) -> usize {
        let mut state = self.state();
        if preempts && state.budget.preemptions == 0 {
            return 0;
        }
        let chosen = state.choices.choose("schedule", n);
        if preempts && chosen != 0 {
            state.budget.preemptions -= 1;
        }
        chosen
    }

    /// Lets happen at an instant of `life` what is decided. Whoever is dead afterwards has to stop.
    pub(crate) fn decide(&self, host: &Host, life: u32, instant: &Instant<'_>) -> Option<Fault> {
        let disk = self.storage.disk();
        let power = instant.power && disk.is_some_and(SimDisk::has_unsynced);
        let mut state = self.state();
        let fault = state.decide(life, instant, power)?;
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
                let now = state.operations;
                let due = state.late.iter().position(|late| all || late.due <= now);
                due.map(|index| state.late.remove(index))
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

impl State {
    /// Decides what happens at an instant of `life`. `faults` is what could go wrong besides.
    fn decide(&mut self, life: u32, instant: &Instant<'_>, power: bool) -> Option<Fault> {
        if !self.injecting {
            return None;
        }
        let point = self.name(life, instant);
        self.recorder.passed(&point);
        let mut options: Vec<Fault> = Vec::new();
        let crash = self.skip.as_ref() != Some(&point);
        options.extend(crash.then_some(Fault::Crash));
        if power {
            self.recorder.passed(&without_power(&point));
            options.push(Fault::PowerLoss);
        }
        if instant.others {
            options.extend([Fault::Takeover, Fault::Cancel]);
        }
        options.extend(instant.faults);
        options.retain(|fault| *self.budget.purse(*fault) > 0);
        if options.is_empty() {
            return None;
        }
        let chosen = self.choices.choose(&point, options.len() + 1);
        let fault = options[chosen.checked_sub(1)?];
        *self.budget.purse(fault) -= 1;
        match fault {
            Fault::Crash => self.recorder.crashed(&point),
            Fault::PowerLoss => self.recorder.crashed(&without_power(&point)),
            _ => {}
        }
        self.history.push(life, What::Fault(Fired { point, fault }));
        Some(fault)
    }

    /// Draws which row the log loses while nobody runs, where it may lose one.
    pub(crate) fn choose_lost_row(&mut self, rows: usize) -> Option<usize> {
        if self.budget.breaches == 0 || rows < 3 {
            return None;
        }
        let chosen = self.choices.choose("between lives", rows - 1);
        let lost = chosen.checked_sub(1)? + 1;
        self.budget.breaches -= 1;
        let point = format!("append#{lost}");
        self.history.push(
            0,
            What::Fault(Fired {
                point,
                fault: Fault::LosesRow,
            }),
        );
        Some(lost)
    }

    pub(crate) fn take_tape(&mut self) -> crate::choices::Tape {
        self.choices.take_tape()
    }

    /// `life1/append#3:before`, and `life1/ship.2:pending` where the life passes it a second time.
    fn name(&mut self, life: u32, instant: &Instant<'_>) -> String {
        let Instant { what, when, .. } = instant;
        let first = format!("life{life}/{what}:{when}");
        let passed = self.passed.entry(first.clone()).or_default();
        *passed += 1;
        match *passed {
            1 => first,
            again => format!("life{life}/{what}.{again}:{when}"),
        }
    }
}

/// An instant between two effects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant<'a> {
    /// What is done: `append#3`, `ship`, `undo charge`.
    pub(crate) what: &'a str,
    /// `before` it, `after-effect`, ...
    pub(crate) when: &'a str,
    /// What can go wrong with the operation.
    pub(crate) faults: &'a [Fault],
    /// Whether another life may take over here, or the run be cancelled.
    others: bool,
    /// Whether the power may fail here.
    power: bool,
}

impl<'a> Instant<'a> {
    /// An instant before or after an operation.
    pub(crate) fn at(what: &'a str, when: &'a str) -> Self {
        Self {
            what,
            when,
            faults: &[],
            others: true,
            power: true,
        }
    }

    /// An instant before an operation of the store that can fail in these ways.
    pub(crate) fn before(what: &'a str, faults: &'a [Fault]) -> Self {
        Self {
            faults,
            ..Self::at(what, "before")
        }
    }

    /// An instant inside of an operation: nothing but a crash can happen.
    pub(crate) fn within(what: &'a str, when: &'a str, power: bool) -> Self {
        Self {
            others: false,
            power,
            ..Self::at(what, when)
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

/// The crash point of an instant at which the power fails.
fn without_power(point: &str) -> String {
    format!("{point}, power lost")
}
