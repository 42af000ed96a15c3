//! The changing state of a simulation, and the decision at an instant.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crashpoint::{CheckpointRow, Error, Runtime as _};
use smol_str::{SmolStr, format_smolstr};

use crate::choices::{Choices, Exhaustive, Tape};
use crate::executor::{Executor, SimRuntime, lock};
use crate::fault::{Budget, Crash, Fault, Fired, StoreFault};
use crate::history::{Crashes, Recorder};
use crate::operations::history::{Entry, History, What};

/// Where the operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In one process, which knows its lives. A crash ends them all.
    OneProcess,
    /// Each in its own process, over the same store.
    Apart,
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

/// The rows of a run, shared until they change.
pub(super) type Rows = Arc<Vec<CheckpointRow>>;

pub(super) struct State {
    pub(super) executor: Executor,
    nonces: Arc<AtomicU64>,
    clock_skew_ms: Arc<AtomicI64>,
    choices: Arc<Mutex<dyn Choices>>,
    changing: Mutex<Changing>,
}

/// What changes during a simulation.
pub(super) struct Changing {
    pub(super) runs: BTreeMap<&'static str, Rows>,
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
    /// The state when the operations begin, over these runs.
    pub(super) fn new(
        runs: BTreeMap<&'static str, Rows>,
        budget: Budget,
        choices: Arc<Mutex<dyn Choices>>,
    ) -> Self {
        // Points are counted where nothing but crashes and switches happens.
        let alone = Budget {
            preemptions: 0,
            ..budget
        };
        let changing = Changing {
            runs,
            effects: BTreeMap::new(),
            history: History::default(),
            tape: Tape::default(),
            recorder: Recorder::new(alone.counted_depth()),
            crashes: Crashes::default(),
            left: budget,
            placement: Placement::OneProcess,
            words: BTreeMap::new(),
            active: Vec::new(),
            current: 1,
            repaired: true,
            late: Vec::new(),
        };
        Self::with(AGE, NONCES, choices, changing)
    }

    /// The state in which the runs of the fleet are made. Undos are not repaired yet.
    pub(super) fn of_an_earlier_process() -> Arc<Self> {
        let choices = Arc::new(Mutex::new(Exhaustive::new()));
        let changing = Changing {
            runs: BTreeMap::new(),
            effects: BTreeMap::new(),
            history: History::default(),
            tape: Tape::default(),
            recorder: Recorder::new(0),
            crashes: Crashes::default(),
            left: Budget::NONE,
            placement: Placement::OneProcess,
            words: BTreeMap::new(),
            active: Vec::new(),
            current: 1,
            repaired: false,
            late: Vec::new(),
        };
        Arc::new(Self::with(Duration::ZERO, 0, choices, changing))
    }

    fn with(
        now: Duration,
        nonces: u64,
        choices: Arc<Mutex<dyn Choices>>,
        changing: Changing,
    ) -> Self {
        Self {
            executor: Executor::beginning_at(now),
            nonces: Arc::new(AtomicU64::new(nonces)),
            clock_skew_ms: Arc::default(),
            choices,
            changing: Mutex::new(changing),
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

    pub(super) fn rows_of(&self, id: &str) -> Vec<CheckpointRow> {
        let changing = self.changing();
        let rows = changing.runs.get(id);
        rows.map_or_else(Vec::new, |rows| rows.to_vec())
    }

    /// Begins the drawn operations.
    pub(super) fn begin(&self, placement: Placement, operations: usize) {
        let mut changing = self.changing();
        (changing.placement, changing.active) = (placement, DRAWN.take(operations).collect());
    }

    /// Appends a row to a log.
    pub(super) fn land(
        &self,
        caller: u8,
        id: &'static str,
        row: CheckpointRow,
    ) -> Result<(), Error> {
        let mut changing = self.changing();
        let rows = changing.runs.entry(id).or_default();
        if rows.iter().any(|other| other.sequence == row.sequence) {
            return Err(Error::conflict(id, row.sequence));
        }
        Arc::make_mut(rows).push(row.clone());
        let (id, row) = (id.into(), Arc::new(row));
        let what = What::Landed { id, row };
        changing.history.0.push(Entry { caller, what });
        Ok(())
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
        _ = self.land(late.caller, late.id, late.row);
    }

    /// Whether one process holds the store.
    pub(super) fn is_exclusive(&self) -> bool {
        self.changing().placement == Placement::OneProcess
    }

    /// Nothing more goes wrong, everything late arrives, and a new process begins.
    pub(super) fn heal(&self) {
        let late = std::mem::take(&mut self.changing().late);
        late.into_iter().for_each(|late| self.arrive(late));
        let mut changing = self.changing();
        changing.left = Budget::NONE;
        (changing.active, changing.current) = (vec![RECOVERY], RECOVERY);
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
        faults: &[StoreFault],
    ) -> Option<Fault> {
        let mut changing = self.changing();
        let mut offers = vec![Fault::Crash(Crash::Process)];
        let others = changing.active.iter().filter(|other| **other != caller);
        offers.extend(others.map(|other| Fault::Switch(u32::from(*other))));
        offers.extend(faults.iter().copied().map(Fault::Store));
        offers.retain(|fault| changing.left.affords(*fault));
        if offers.is_empty() {
            return None;
        }
        let words = changing.words.get(&caller).cloned().unwrap_or_default();
        let point = format_smolstr!("{caller} {words}/{instant}");
        changing.passed(&point, caller, &instant);
        let chosen = lock(&self.choices).choose_fault(&point, &offers);
        changing
            .tape
            .record(point.clone(), offers.len() + 1, chosen);
        let fault = *offers.get(chosen.checked_sub(1)?)?;
        changing.apply(caller, instant.id, Fired { point, fault });
        drop(changing);
        if fault.is_crash() {
            self.kill(caller);
        }
        Some(fault)
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
    /// The callers in the process of a caller.
    fn neighbours(&self, caller: u8) -> Vec<u8> {
        match self.placement {
            Placement::OneProcess if caller != RECOVERY => DRAWN.collect(),
            _ => vec![caller],
        }
    }

    fn passed(&mut self, name: &SmolStr, caller: u8, instant: &Instant<'_>) {
        let operation = || (instant.call.into(), instant.row);
        let life = u32::from(caller);
        self.recorder.passed(&self.crashes, name, life, operation);
    }

    fn apply(&mut self, caller: u8, id: Option<&str>, fired: Fired) {
        self.left.pay(fired.fault);
        match fired.fault {
            Fault::Crash(_) => {
                self.crashes.add(&fired.point);
                self.recorder.fired(&self.crashes);
            }
            Fault::Switch(to) => {
                self.current = u8::try_from(to).expect("it is the number of a caller");
            }
            _ => {}
        }
        let id = id.map(SmolStr::from);
        let what = What::Fault { id, fired };
        self.history.0.push(Entry { caller, what });
    }
}

impl fmt::Display for Instant<'_> {
    /// `append#2 open:before`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call)?;
        if let Some(row) = self.row {
            write!(f, "#{row}")?;
        }
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        write!(f, ":{}", self.when)
    }
}
