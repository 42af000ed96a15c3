//! What a world has and what goes wrong in it, as data: drawn before it begins, and shrunk by leaving
//! faults out.

use std::fmt;
use std::time::Duration;

use crashpoint::protocol::{Faithful, Without};

use crate::choices::Choices;
use crate::workload::generated::{self, Node};
use crate::workload::{self, Rule, Sharing, Workload};

/// The most faults of a plan.
const FAULTS_MAX: usize = 10;
/// The time in which faults begin.
const FAULTS_WITHIN: Duration = Duration::from_millis(1_250);
/// The most workers.
const WORKERS_MAX: usize = 3;
/// The most runs.
const RUNS_MAX: usize = 3;
/// The error of a clock that is wrong, ahead or behind, in seconds.
const SKEW_SECONDS: i64 = 3_600;
/// The most by which the clocks of two workers differ.
pub(super) const CLOCKS_APART_MAX: Duration = Duration::from_secs(2 * SKEW_SECONDS.unsigned_abs());

/// The plan of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The number of workers, from 2.
    pub workers: usize,
    /// The runs.
    pub runs: Vec<PlannedRun>,
    /// The faults, in the order in which they were drawn.
    pub faults: Vec<PlannedFault>,
}

/// A run of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRun {
    /// The name of a built-in workload, or `generated`.
    pub workload: String,
    /// The states of a generated workflow; empty for a built-in workload.
    pub nodes: Vec<Node>,
    /// When its client starts it.
    pub begins: Duration,
    /// How long its client waits for a worker before it asks another.
    pub patience: Duration,
}

/// A fault, and when it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// When it begins.
    pub at: Duration,
    /// The fault.
    pub fault: WorldFault,
}

/// What goes wrong in a world. Workers and runs are numbers from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldFault {
    /// A worker dies, and starts again after `down`.
    Kill {
        /// The worker.
        worker: usize,
        /// How long it is down.
        down: Duration,
    },
    /// A worker does nothing for `length`, and goes on as if nothing had been.
    Pause {
        /// The worker.
        worker: usize,
        /// For how long.
        length: Duration,
    },
    /// Messages between a worker and the store are lost.
    Cut {
        /// The worker.
        worker: usize,
        /// Which messages.
        way: Way,
        /// For how long.
        length: Duration,
    },
    /// The owner of a run loses the store, and another worker takes the run over.
    TakeOver {
        /// The run.
        run: usize,
        /// For how long the owner is cut off.
        length: Duration,
    },
    /// Messages take up to `latency_max`, so that they overtake each other and miss timeouts.
    Slow {
        /// The longest latency.
        latency_max: Duration,
        /// For how long.
        length: Duration,
    },
    /// Messages are lost.
    Lossy {
        /// How many of a hundred.
        percent: u32,
        /// For how long.
        length: Duration,
    },
    /// Requests to the store arrive twice.
    Duplicating {
        /// How many of a hundred.
        percent: u32,
        /// For how long.
        length: Duration,
    },
    /// The wall clock of a worker is wrong from now on.
    Skew {
        /// The worker.
        worker: usize,
        /// The error.
        seconds: i64,
    },
    /// The power of the store is cut: at a call of its disk, or after some time without that call.
    PowerCut {
        /// How many writes and syncs succeed before.
        calls: u64,
        /// When the power is gone at the latest.
        after: Duration,
        /// Which part of what was not synced the disk keeps.
        kept: usize,
        /// How long the store is down.
        down: Duration,
    },
    /// The process of the store dies, and what it wrote stays.
    KillStore {
        /// How long it is down.
        down: Duration,
    },
    /// The store does nothing for `length`.
    PauseStore {
        /// For how long.
        length: Duration,
    },
    /// The store stops and never starts again. No plan that is drawn has it: it breaks liveness.
    StopForGood,
    /// A client cancels a run on every worker.
    Cancel {
        /// The run.
        run: usize,
    },
    /// Another client has a run resumed.
    Rival {
        /// The run.
        run: usize,
        /// The worker that it asks.
        worker: usize,
    },
}

/// A direction of messages between a worker and the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the worker to the store.
    Requests,
    /// From the store to the worker.
    Responses,
    /// Both.
    Both,
}

impl Plan {
    /// Draws a plan. Every fault has the same draws, needed or not, so that a fault can be left out
    /// of a tape without a change of the others.
    pub fn draw(choices: &mut (impl Choices + ?Sized)) -> Self {
        let workers = 2 + choices.choose("plan/workers", WORKERS_MAX - 1);
        let mut runs = Vec::new();
        while runs.is_empty() || (runs.len() < RUNS_MAX && choices.choose("plan/run/more", 2) == 1)
        {
            runs.push(PlannedRun::draw(choices));
        }
        let mut faults = Vec::new();
        while faults.len() < FAULTS_MAX && choices.choose("plan/fault/more", 6) > 0 {
            faults.push(PlannedFault::draw(choices, workers, runs.len()));
        }
        Self {
            workers,
            runs,
            faults,
        }
    }

    /// The plan without one of its faults.
    #[must_use]
    pub fn without_fault(&self, index: usize) -> Self {
        let mut plan = self.clone();
        plan.faults.remove(index);
        plan
    }
}

/// The names of the built-in workloads whose store may be shared.
fn names() -> Vec<String> {
    let all = workload::all().into_iter();
    let shared = all.filter(|workload| workload.sharing == Sharing::Shared);
    shared.map(|workload| workload.name).collect()
}

const GENERATED: &str = "generated";

impl PlannedRun {
    fn draw(choices: &mut (impl Choices + ?Sized)) -> Self {
        let names = names();
        // Half of the runs are of a drawn workflow.
        let chosen = choices.choose("plan/run/workload", names.len() * 2);
        let begins = choices.choose("plan/run/begins", 10);
        let patience = choices.choose("plan/run/patience", 8);
        let (workload, nodes) = match names.into_iter().nth(chosen) {
            Some(name) => (name, Vec::new()),
            None => (GENERATED.to_owned(), generated::draw(choices)),
        };
        Self {
            workload,
            nodes,
            begins: ms(begins * 50),
            patience: ms(200 + patience * 350),
        }
    }

    /// The workload, run by an engine that breaks `rule`, if there is one.
    ///
    /// # Panics
    ///
    /// If there is no built-in workload of the name.
    pub fn workload(&self, rule: Option<Rule>) -> Workload {
        if self.workload == GENERATED {
            return match rule {
                None => generated::generated(&self.nodes, Faithful),
                Some(rule) => generated::generated(&self.nodes, Without(rule)),
            };
        }
        let name = match rule {
            None => self.workload.clone(),
            Some(rule) => format!("{}~{rule:?}", self.workload),
        };
        workload::named(&name).expect("a plan names a built-in workload")
    }
}

fn ms(ms: usize) -> Duration {
    Duration::from_millis(ms as u64)
}

/// Builds a fault from what was drawn of it.
type Build = fn(&Drawn) -> WorldFault;

/// What is drawn of a fault.
struct Drawn {
    worker: usize,
    run: usize,
    length: Duration,
    /// In `0..AMOUNTS`; each kind has its own use of it.
    amount: usize,
}

const AMOUNTS: usize = 64;

/// The kinds of faults that are drawn.
const KINDS: &[Build] = &[
    |drawn| WorldFault::Kill {
        worker: drawn.worker,
        down: drawn.length / 4,
    },
    |drawn| WorldFault::Pause {
        worker: drawn.worker,
        length: drawn.length,
    },
    |drawn| WorldFault::Cut {
        worker: drawn.worker,
        way: [Way::Both, Way::Requests, Way::Responses][drawn.amount % 3],
        length: drawn.length,
    },
    |drawn| WorldFault::TakeOver {
        run: drawn.run,
        length: drawn.length,
    },
    |drawn| WorldFault::Slow {
        latency_max: ms(40 + drawn.amount * 6),
        length: drawn.length,
    },
    |drawn| WorldFault::Lossy {
        percent: 5 + drawn.amount as u32 % 40,
        length: drawn.length,
    },
    |drawn| WorldFault::Duplicating {
        percent: 20 + drawn.amount as u32,
        length: drawn.length,
    },
    |drawn| WorldFault::Skew {
        worker: drawn.worker,
        seconds: if drawn.amount.is_multiple_of(2) {
            SKEW_SECONDS
        } else {
            -SKEW_SECONDS
        },
    },
    |drawn| WorldFault::PowerCut {
        calls: 1 + drawn.amount as u64 % 24,
        after: ms(20 + drawn.amount),
        kept: drawn.amount,
        down: drawn.length / 8,
    },
    |drawn| WorldFault::KillStore {
        down: drawn.length / 8,
    },
    |drawn| WorldFault::PauseStore {
        length: drawn.length / 4,
    },
    |drawn| WorldFault::Cancel { run: drawn.run },
    |drawn| WorldFault::Rival {
        run: drawn.run,
        worker: drawn.worker,
    },
];

impl PlannedFault {
    fn draw(choices: &mut (impl Choices + ?Sized), workers: usize, runs: usize) -> Self {
        let at = choices.choose("plan/fault/at", 125);
        let kind = choices.choose("plan/fault/kind", KINDS.len());
        let drawn = Drawn {
            worker: choices.choose("plan/fault/worker", WORKERS_MAX) % workers,
            run: choices.choose("plan/fault/run", RUNS_MAX) % runs,
            length: ms((1 + choices.choose("plan/fault/length", 40)) * 25),
            amount: choices.choose("plan/fault/amount", AMOUNTS),
        };
        Self {
            at: FAULTS_WITHIN * at as u32 / 125,
            fault: KINDS[kind](&drawn),
        }
    }
}

impl fmt::Display for Plan {
    /// A line for the workers, for each run and for each fault, in the order of time.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} workers", self.workers)?;
        for (index, run) in self.runs.iter().enumerate() {
            writeln!(
                f,
                "at {:>4} ms  run {index}, {}, whose client waits {} ms for a worker",
                run.begins.as_millis(),
                run.workload,
                run.patience.as_millis()
            )?;
        }
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|planned| planned.at);
        for PlannedFault { at, fault } in faults {
            writeln!(f, "at {:>4} ms  {fault}", at.as_millis())?;
        }
        Ok(())
    }
}

impl fmt::Display for WorldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { worker, down } => {
                write!(
                    f,
                    "worker {worker} dies, and is down for {} ms",
                    down.as_millis()
                )
            }
            Self::Pause { worker, length } => {
                write!(f, "worker {worker} pauses for {} ms", length.as_millis())
            }
            Self::Cut {
                worker,
                way,
                length,
            } => {
                let length = length.as_millis();
                let what = match way {
                    Way::Requests => "requests of",
                    Way::Responses => "responses to",
                    Way::Both => "messages of",
                };
                write!(f, "{what} worker {worker} are lost for {length} ms")
            }
            Self::TakeOver { run, length } => write!(
                f,
                "the owner of run {run} loses the store for {} ms, and another worker takes over",
                length.as_millis()
            ),
            Self::Slow {
                latency_max,
                length,
            } => write!(
                f,
                "messages take up to {} ms, for {} ms",
                latency_max.as_millis(),
                length.as_millis()
            ),
            Self::Lossy { percent, length } => {
                write!(
                    f,
                    "{percent} % of messages are lost, for {} ms",
                    length.as_millis()
                )
            }
            Self::Duplicating { percent, length } => write!(
                f,
                "{percent} % of requests to the store arrive twice, for {} ms",
                length.as_millis()
            ),
            Self::Skew { worker, seconds } => {
                write!(f, "the clock of worker {worker} is wrong by {seconds} s")
            }
            Self::PowerCut {
                calls, after, down, ..
            } => write!(
                f,
                "the power of the store is cut at its disk's next call but {calls}, or after {} ms, and \
                 the store is down for {} ms",
                after.as_millis(),
                down.as_millis()
            ),
            Self::KillStore { down } => {
                write!(f, "the store dies, and is down for {} ms", down.as_millis())
            }
            Self::PauseStore { length } => {
                write!(f, "the store pauses for {} ms", length.as_millis())
            }
            Self::StopForGood => f.write_str("the store stops for good"),
            Self::Cancel { run } => write!(f, "a client cancels run {run}"),
            Self::Rival { run, worker } => {
                write!(f, "another client has run {run} resumed by worker {worker}")
            }
        }
    }
}
