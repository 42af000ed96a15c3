//! One simulation: its processes, its instants, and who decides what happens there.

mod observer;
mod process;
mod run;
mod store;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint_engine::{CheckpointRow, CheckpointStore, ScopeId};

use crate::choices::{Choices, Taped};
use crate::executor::{Executor, lock};
use crate::fault::{Budget, Fault, Fired};
use crate::history::{History, What};
use crate::recorder::Recorder;
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
    /// The store itself: what survives.
    pub(crate) store: Arc<dyn CheckpointStore>,
    /// The scope that the processes hold the store in, where they hold it exclusively.
    pub(crate) scope: Option<ScopeId>,
    state: Mutex<State>,
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
    /// Lives that are alive.
    pub(crate) alive: u32,
    pub(crate) lives: u32,
    pub(crate) rival_wanted: bool,
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
    pub(crate) fn new(
        store: Arc<dyn CheckpointStore>,
        scope: Option<ScopeId>,
        choices: SharedChoices,
        settings: &Settings,
    ) -> Self {
        Self {
            executor: Executor::default(),
            nonces: Arc::default(),
            store,
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

    /// Lets the appends that are due land, or all of them.
    async fn deliver(&self, all: bool) {
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
            if self.store.append(WORKFLOW_ID, row.clone()).await.is_ok() {
                self.record(life, What::Landed(row));
            }
        }
    }
}

impl State {
    /// Decides what happens at an instant of `life`. `faults` is what could go wrong besides.
    pub(crate) fn decide(&mut self, life: u32, instant: &Instant<'_>) -> Option<Fault> {
        if !self.injecting {
            return None;
        }
        let point = self.name(life, instant);
        self.recorder.passed(&point);
        let mut options: Vec<Fault> = Vec::new();
        let crash = self.skip.as_ref() != Some(&point);
        let common = [Fault::Crash, Fault::Takeover, Fault::Cancel];
        options.extend(
            common
                .iter()
                .filter(|fault| crash || **fault != Fault::Crash),
        );
        options.extend(instant.faults);
        options.retain(|fault| *self.budget.purse(*fault) > 0);
        if options.is_empty() {
            return None;
        }
        let chosen = self.choices.choose(&point, options.len() + 1);
        let fault = options[chosen.checked_sub(1)?];
        *self.budget.purse(fault) -= 1;
        if fault == Fault::Crash {
            self.recorder.crashed(&point);
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
    /// What can go wrong here besides a crash.
    pub(crate) faults: &'a [Fault],
}
