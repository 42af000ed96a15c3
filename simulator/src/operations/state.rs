//! The changing state of a simulation, and the decision at an instant.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crashpoint::{CheckpointRow, Runtime as _};
use smol_str::{SmolStr, format_smolstr};

use crate::choices::{Choices, Exhaustive, Tape};
use crate::disk::Loss;
use crate::executor::{Executor, SimRuntime, lock};
use crate::fault::{Budget, Crash, DiskFault, Fault, Fired, StoreFault};
use crate::history::{Crashes, Recorder};
use crate::operations::history::{Entry, History, What};
use crate::operations::storage::Storage;

/// Where the operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In one process, which knows its lives. A crash ends them all.
    OneProcess,
    /// Each in its own process, over the same store.
    Apart,
    /// Each in its own process, one after the other: the store has one process at a time.
    InTurn,
}

impl Placement {
    const ALL: [Self; 3] = [Self::OneProcess, Self::Apart, Self::InTurn];

    /// The place with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|placement| placement.to_string() == name)
    }
}

impl fmt::Display for Placement {
    /// Its stable name in schedules.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneProcess => "one-process",
            Self::Apart => "apart",
            Self::InTurn => "in-turn",
        })
    }
}

/// An instant of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant<'a> {
    /// The call: `append`, `load`, or the name of a task.
    pub(super) call: &'a str,
    /// Its run; a listing has none.
    pub(super) id: Option<&'a str>,
    /// The sequence of the row that it appends.
    pub(super) row: Option<u64>,
    pub(super) when: &'static str,
}

/// What may happen at an instant, beside a crash of the process.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Offers<'a> {
    /// Whether another caller may go on.
    pub(super) switches: bool,
    pub(super) store: &'a [StoreFault],
    /// Whether the power may fail.
    pub(super) power: bool,
    pub(super) disk: &'a [DiskFault],
    /// What a power loss may leave of what was not synced, beside nothing.
    pub(super) losses: &'a [Loss],
}

/// The most drawn operations of a simulation.
const OPERATIONS_MAX: u8 = 3;

/// The caller of the recovery at the end.
pub(super) const RECOVERY: u8 = OPERATIONS_MAX + 1;

/// The numbers of the callers of drawn operations.
pub(super) const DRAWN: RangeInclusive<u8> = 1..=OPERATIONS_MAX;

/// The age of the fleet when the operations begin.
const AGE: Duration = Duration::from_secs(3600);

/// The first nonce of the operations. The fleet has smaller ones.
const NONCES: u64 = 1 << 16;

pub(super) struct State {
    pub(super) executor: Executor,
    nonces: Arc<AtomicU64>,
    clock_skew_ms: Arc<AtomicI64>,
    choices: Arc<Mutex<dyn Choices>>,
    changing: Mutex<Changing>,
    pub(super) storage: Storage,
}

/// What changes during a simulation.
pub(super) struct Changing {
    /// How often each task of each run has acted.
    effects: BTreeMap<(SmolStr, SmolStr), u64>,
    pub(super) history: History,
    pub(super) tape: Tape,
    pub(super) recorder: Recorder,
    crashes: Crashes,
    /// What may still happen.
    left: Budget,
    placement: Placement,
    /// The operations by the number of their caller, as words for the names of instants.
    pub(super) words: BTreeMap<u8, SmolStr>,
    /// The callers that have neither answered nor died.
    pub(super) active: Vec<u8>,
    /// The caller whose turn it is.
    pub(super) current: u8,
    /// How often each instant was passed. It distinguishes repetitions.
    passed: BTreeMap<SmolStr, u32>,
    repaired: bool,
    /// Rows that have been sent and not arrived.
    late: Vec<Late>,
}

/// A row that arrives after some more calls of the store.
struct Late {
    calls: u8,
    caller: u8,
    id: &'static str,
    row: CheckpointRow,
}

impl State {
    /// The state when the operations begin, over the runs in this storage.
    pub(super) fn new(storage: Storage, budget: Budget, choices: Arc<Mutex<dyn Choices>>) -> Self {
        // Points are counted where nothing but crashes and switches happens.
        let alone = Budget {
            preemptions: 0,
            ..budget
        };
        let changing = Changing {
            recorder: Recorder::new(alone.counted_depth()),
            ..Changing::within(budget)
        };
        Self::with((AGE, NONCES), choices, changing, storage)
    }

    /// The state in which the runs of the fleet are made. Undos are not repaired yet.
    pub(super) fn of_an_earlier_process() -> Arc<Self> {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let changing = Changing {
            repaired: false,
            ..Changing::within(Budget::NONE)
        };
        let storage = Storage::memory(BTreeMap::new());
        Arc::new(Self::with((Duration::ZERO, 0), choices, changing, storage))
    }

    fn with(
        (now, nonces): (Duration, u64),
        choices: Arc<Mutex<dyn Choices>>,
        changing: Changing,
        storage: Storage,
    ) -> Self {
        Self {
            executor: Executor::beginning_at(now),
            nonces: Arc::new(AtomicU64::new(nonces)),
            clock_skew_ms: Arc::default(),
            choices,
            changing: Mutex::new(changing),
            storage,
        }
    }

    pub(super) fn changing(&self) -> MutexGuard<'_, Changing> {
        lock(&self.changing)
    }

    pub(super) fn runtime(&self, caller: u8) -> SimRuntime {
        SimRuntime::new(
            self.executor.clone(),
            u32::from(caller),
            Arc::clone(&self.nonces),
            Arc::clone(&self.clock_skew_ms),
        )
    }

    /// A time between the claims of the fleet and those of the operations.
    pub(super) fn cutoff_unix_ms(&self) -> u64 {
        let elapsed = self.executor.now();
        let since_the_cutoff = (elapsed - AGE / 2).as_millis();
        self.runtime(RECOVERY).unix_ms() - u64::try_from(since_the_cutoff).unwrap_or(u64::MAX)
    }

    pub(super) fn record(&self, caller: u8, what: What) {
        self.changing().history.0.push(Entry { caller, what });
    }

    /// Draws something before the operations begin.
    pub(super) fn draw(&self, label: &str, n: usize) -> usize {
        let chosen = lock(&self.choices).choose(label, n);
        self.changing().tape.record(label.into(), n, chosen);
        chosen
    }

    /// Where the operations run.
    pub(super) fn place(&self, placement: Placement) {
        self.changing().placement = placement;
    }

    /// These operations begin.
    pub(super) fn begin(&self, callers: Vec<u8>) {
        let mut changing = self.changing();
        changing.current = callers[0];
        changing.active = callers;
    }

    /// Whether the caller has neither answered nor died.
    pub(super) fn is_active(&self, caller: u8) -> bool {
        self.changing().active.contains(&caller)
    }

    /// The caller has answered, panicked or hung.
    pub(super) fn is_over(&self, caller: u8) {
        self.changing().active.retain(|active| *active != caller);
    }

    /// Appends a row after some more calls of the store.
    pub(super) fn delay(&self, caller: u8, id: &'static str, row: CheckpointRow, calls: u8) {
        self.changing().late.push(Late {
            calls,
            caller,
            id,
            row,
        });
    }

    /// Counts a call of the store, before which late rows arrive.
    pub(super) fn count_call(&self) {
        let late = std::mem::take(&mut self.changing().late);
        for mut late in late {
            match late.calls.checked_sub(1) {
                Some(calls) => {
                    late.calls = calls;
                    self.changing().late.push(late);
                }
                None => self.arrive(late),
            }
        }
    }

    fn arrive(&self, late: Late) {
        // Its sender waits for no answer any more.
        _ = self.land_in_memory(late.caller, late.id, late.row);
    }

    /// Whether one process holds the store.
    pub(super) fn is_exclusive(&self) -> bool {
        self.changing().placement != Placement::Apart
    }

    /// Nothing more goes wrong, and everything late arrives.
    pub(super) fn heal(&self) {
        let late = std::mem::take(&mut self.changing().late);
        late.into_iter().for_each(|late| self.arrive(late));
        self.changing().left = Budget::NONE;
    }

    /// Whether a part of what was not synced may survive a power loss.
    pub(super) fn has_partial_losses(&self) -> bool {
        self.changing().left.disk > 0
    }

    /// Counts an effect of a task, and returns how many it had before.
    pub(super) fn count_effect(&self, id: &str, task: &str) -> u64 {
        let mut changing = self.changing();
        let count = changing
            .effects
            .entry((id.into(), task.into()))
            .or_default();
        *count += 1;
        *count - 1
    }

    pub(super) fn undos_are_repaired(&self) -> bool {
        self.changing().repaired
    }

    /// Decides what goes wrong at an instant, and applies a crash and a switch.
    pub(super) fn decide(
        &self,
        caller: u8,
        instant: Instant<'_>,
        offered: &Offers<'_>,
    ) -> Option<Fault> {
        let mut changing = self.changing();
        if changing.left == Budget::NONE {
            return None;
        }
        // Each instant has its name, whatever is left to happen there: a schedule in words pays for less.
        let point = changing.name(caller, &instant);
        let offers = changing.offers(caller, offered);
        if offers.is_empty() {
            return None;
        }
        changing.count(&point, caller, &instant, offered.power);
        let chosen = lock(&self.choices).choose_fault(&point, &offers);
        changing
            .tape
            .record(point.clone(), offers.len() + 1, chosen);
        let fault = *offers.get(chosen.checked_sub(1)?)?;
        changing.apply(caller, instant.id, Fired { point, fault });
        drop(changing);
        match fault {
            Fault::Crash(Crash::Process) => self.crash(caller, None),
            Fault::Crash(Crash::PowerLoss) => self.crash(caller, Some(&Loss::OF_ALL)),
            Fault::Disk(DiskFault::PowerLoss(loss)) => self.crash(caller, Some(&loss)),
            _ => {}
        }
        Some(fault)
    }

    /// The process of a caller ends at once, perhaps with the power.
    fn crash(&self, caller: u8, loss: Option<&Loss>) {
        self.storage.crash(loss);
        self.kill(caller);
    }

    /// Drops the operations of a crashed process.
    fn kill(&self, caller: u8) {
        let mut changing = self.changing();
        let dead = changing.neighbours(caller);
        changing.active.retain(|active| !dead.contains(active));
        drop(changing);
        for caller in dead {
            self.executor.kill(u32::from(caller));
        }
    }
}

impl Changing {
    /// Nothing has happened yet, and this may go wrong.
    fn within(budget: Budget) -> Self {
        Self {
            effects: BTreeMap::new(),
            history: History::default(),
            tape: Tape::default(),
            recorder: Recorder::new(0),
            crashes: Crashes::default(),
            left: budget,
            placement: Placement::OneProcess,
            words: BTreeMap::new(),
            active: Vec::new(),
            current: 1,
            passed: BTreeMap::new(),
            repaired: true,
            late: Vec::new(),
        }
    }

    /// The callers in the process of a caller.
    fn neighbours(&self, caller: u8) -> Vec<u8> {
        match self.placement {
            Placement::OneProcess if caller != RECOVERY => DRAWN.collect(),
            _ => vec![caller],
        }
    }

    /// The faults that are offered at an instant: crashes first. Tapes number them, so their order never
    /// changes.
    fn offers(&self, caller: u8, offered: &Offers<'_>) -> Vec<Fault> {
        let mut offers = vec![Fault::Crash(Crash::Process)];
        if offered.power {
            offers.push(Fault::Crash(Crash::PowerLoss));
        }
        if offered.switches {
            let others = self.active.iter().filter(|other| **other != caller);
            offers.extend(others.map(|other| Fault::Switch(u32::from(*other))));
        }
        offers.extend(offered.store.iter().copied().map(Fault::Store));
        offers.extend(offered.disk.iter().copied().map(Fault::Disk));
        let losses = offered.losses.iter().copied();
        offers.extend(losses.map(|loss| Fault::Disk(DiskFault::PowerLoss(loss))));
        offers.retain(|fault| self.left.affords(*fault));
        offers
    }

    /// The name of an instant: `1 purge/clear done:before`, and `1 purge/clear done.2:before` for the
    /// second time.
    fn name(&mut self, caller: u8, instant: &Instant<'_>) -> SmolStr {
        let words = self.words.get(&caller).cloned().unwrap_or_default();
        let (what, when) = (instant.what(), instant.when);
        let name = format_smolstr!("{caller} {words}/{what}:{when}");
        let times = self.passed.entry(name.clone()).or_default();
        *times += 1;
        match *times {
            1 => name,
            again => format_smolstr!("{caller} {words}/{what}.{again}:{when}"),
        }
    }

    /// Counts the crash points of an instant.
    fn count(&mut self, name: &SmolStr, caller: u8, instant: &Instant<'_>, power: bool) {
        let operation = || (instant.call.into(), instant.row);
        let life = u32::from(caller);
        self.recorder.passed(&self.crashes, name, life, operation);
        if power {
            let name = without_power(name);
            self.recorder.passed(&self.crashes, &name, life, operation);
        }
    }

    fn apply(&mut self, caller: u8, id: Option<&str>, fired: Fired) {
        self.left.pay(fired.fault);
        match fired.fault {
            Fault::Crash(Crash::Process) => self.crashes.add(&fired.point),
            Fault::Crash(Crash::PowerLoss) | Fault::Disk(DiskFault::PowerLoss(_)) => {
                self.crashes.add(&without_power(&fired.point));
            }
            Fault::Switch(to) => {
                self.current = u8::try_from(to).expect("it is the number of a caller");
            }
            _ => {}
        }
        if fired.fault.is_crash() {
            self.recorder.fired(&self.crashes);
        }
        let id = id.map(SmolStr::from);
        let what = What::Fault { id, fired };
        self.history.0.push(Entry { caller, what });
    }
}

/// The crash point of a power loss at an instant.
fn without_power(point: &str) -> SmolStr {
    format_smolstr!("{point}, power lost")
}

impl Instant<'_> {
    /// The call, its row and its run: `append#2 open`.
    fn what(&self) -> SmolStr {
        let mut what = self.call.to_owned();
        if let Some(row) = self.row {
            what.push_str(&format_smolstr!("#{row}"));
        }
        if let Some(id) = self.id {
            what.push_str(&format_smolstr!(" {id}"));
        }
        what.into()
    }
}
