//! The changing state of a simulation, and the decision at an instant.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crashpoint::{CheckpointRow, Runtime as _};
use smol_str::{SmolStr, format_smolstr};

use crate::choices::{Choices, Exhaustive, Tape};
use crate::executor::{Executor, SimRuntime, lock};
use crate::history::{Crashes, Recorder};
use crate::operations::fleet::{self, Rows};
use crate::operations::history::{Entry, History, What};

/// How often each kind of event may happen in a simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Crashes of a process.
    pub crashes: u32,
    /// Calls of the store that fail.
    pub faults: u32,
    /// Switches from one operation to the other; the first switch begins the second operation.
    pub switches: u32,
}

/// Where the two operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In one process, which knows its lives. A crash ends both.
    OneProcess,
    /// Each in its own process, over the same store.
    TwoProcesses,
}

/// A fault of a call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreFault {
    /// It fails and has no effect.
    Refused,
    /// It takes effect, and its answer is lost.
    AnswerLost,
}

/// What is decided at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    GoOn,
    Fault(StoreFault),
    Crash,
    Switch,
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

/// The recovery at the end.
pub(super) const RECOVERY: u8 = 3;

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
    left: Bounds,
    placement: Placement,
    /// The operations by the number of their caller, as words for the names of instants.
    pub(super) words: BTreeMap<u8, SmolStr>,
    /// The callers that have neither answered nor died.
    pub(super) active: Vec<u8>,
    /// The caller whose turn it is.
    pub(super) current: u8,
    repaired: bool,
}

impl State {
    /// The state when the operations begin.
    pub(super) fn new(bounds: Bounds, choices: Arc<Mutex<dyn Choices>>) -> Self {
        // Points are counted where nothing but crashes happens.
        let depth = match bounds.faults {
            0 => bounds.crashes,
            _ => 0,
        };
        let changing = Changing {
            runs: fleet::logs(),
            effects: BTreeMap::new(),
            history: History::default(),
            tape: Tape::default(),
            recorder: Recorder::new(depth),
            crashes: Crashes::default(),
            left: bounds,
            placement: Placement::OneProcess,
            words: BTreeMap::new(),
            active: Vec::new(),
            current: 1,
            repaired: true,
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
            left: Bounds::default(),
            placement: Placement::OneProcess,
            words: BTreeMap::new(),
            active: Vec::new(),
            current: 1,
            repaired: false,
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
    pub(super) fn begin(&self, placement: Placement) {
        let mut changing = self.changing();
        (changing.placement, changing.active) = (placement, vec![1, 2]);
    }

    /// Nothing more goes wrong, and a new process begins.
    pub(super) fn heal(&self) {
        let mut changing = self.changing();
        changing.left = Bounds::default();
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

    /// Decides what happens at an instant, and applies a crash and a switch.
    pub(super) fn decide(
        &self,
        caller: u8,
        instant: Instant<'_>,
        faults: &[StoreFault],
    ) -> Decided {
        let mut changing = self.changing();
        let left = changing.left;
        let other = match caller {
            1 => Some(2),
            2 => Some(1),
            _ => None,
        };
        let other = other.filter(|other| left.switches > 0 && changing.active.contains(other));
        let mut offers = vec![Decided::GoOn];
        if left.crashes > 0 {
            offers.push(Decided::Crash);
        }
        offers.extend(other.map(|_| Decided::Switch));
        if left.faults > 0 {
            offers.extend(faults.iter().copied().map(Decided::Fault));
        }
        if offers.len() == 1 {
            return Decided::GoOn;
        }
        let words = changing.words.get(&caller).cloned().unwrap_or_default();
        let name = format_smolstr!("{caller} {words}/{instant}");
        changing.passed(&name, caller, &instant);
        let chosen = lock(&self.choices).choose(&name, offers.len());
        changing.tape.record(name.clone(), offers.len(), chosen);
        let decided = offers[chosen];
        changing.apply(caller, name, &instant, decided);
        drop(changing);
        if decided == Decided::Crash {
            self.kill(caller);
        }
        decided
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
            Placement::OneProcess if caller != RECOVERY => vec![1, 2],
            _ => vec![caller],
        }
    }

    fn passed(&mut self, name: &SmolStr, caller: u8, instant: &Instant<'_>) {
        let operation = || (instant.call.into(), instant.row);
        let life = u32::from(caller);
        self.recorder.passed(&self.crashes, name, life, operation);
    }

    fn apply(&mut self, caller: u8, name: SmolStr, instant: &Instant<'_>, decided: Decided) {
        let what = match decided {
            Decided::GoOn => return,
            Decided::Fault(fault) => {
                self.left.faults -= 1;
                What::Fault {
                    id: instant.id.map(SmolStr::from),
                    fault: format_smolstr!("{fault} at {name}"),
                }
            }
            Decided::Crash => {
                self.left.crashes -= 1;
                self.crashes.add(&name);
                self.recorder.fired(&self.crashes);
                What::Crashed(name)
            }
            Decided::Switch => {
                self.left.switches -= 1;
                self.current = 3 - caller;
                What::Switched(name)
            }
        };
        self.history.0.push(Entry { caller, what });
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::AnswerLost => "answer lost",
        })
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

impl fmt::Display for Bounds {
    /// In words: `2 switches`, `1 crash and 1 switch`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u32, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {more}")),
        };
        let words = [
            plural(self.crashes, "crash", "crashes"),
            plural(self.faults, "store fault", "store faults"),
            plural(self.switches, "switch", "switches"),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        f.write_str(&words.join(" and "))
    }
}
