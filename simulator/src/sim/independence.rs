//! What an exploration leaves out because it can't differ from what it runs.
//!
//! Between two instants a life may do nothing that anybody else can notice: it takes the answer of the
//! store, or sends the next row to itself. A crash, a takeover or a jump of a clock at the second instant
//! then meets the same log, the same world, the same clocks and the same other lives as at the first, and
//! a switch to another life lets that life run beside a life that has done the same.
//!
//! A life that owned the run is over as soon as another life has written the row that it sends: it reads
//! the log once more and is fenced. It runs no task, and no row of it becomes durable. So it makes no
//! difference when it does this, whether it dies before, and what the store answers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crashpoint::RowKind;

use crate::fault::Fault;
use crate::history::{Entry, History, What};
use crate::sim::Activity;
use crate::sim::recovery::{Failing, Recovery};

/// The instants at which something could go wrong before.
#[derive(Debug)]
pub(crate) struct Independence {
    /// The number of choices before the first instant to count at. An earlier simulation had the same
    /// choices.
    from: usize,
    last: Option<Passed>,
    /// Where each life last gave others a turn: the length of the history, and whether a task acted.
    gave: BTreeMap<u32, (usize, bool)>,
    rows: Rows,
    recovery: Recovery,
    left_out: Repeats,
}

/// The rows of the log, as far as they show which lives are over.
#[derive(Debug, Default)]
struct Rows {
    /// The sequence of the row that each life sent last.
    sent: BTreeMap<u32, u64>,
    /// The life that wrote each durable row.
    writers: BTreeMap<u64, u32>,
    /// The lives whose claim is durable.
    owners: BTreeSet<u32>,
}

/// How many faults and switches were left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Repeats {
    pub(crate) crashes: u64,
    /// Other faults, and switches.
    pub(crate) others: u64,
}

/// A passed instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) life: u32,
    /// Whether a crash and whatever others do were possible.
    pub(crate) is_open: bool,
    /// Whether a task acted.
    pub(crate) is_acting: bool,
    pub(crate) now: Duration,
    /// The number of operations on the store.
    pub(crate) operations: u64,
    /// The length of the history.
    pub(crate) entries: usize,
}

impl Independence {
    pub(crate) fn new(from: usize) -> Self {
        Self {
            from,
            last: None,
            gave: BTreeMap::new(),
            rows: Rows::default(),
            recovery: Recovery::default(),
            left_out: Repeats::default(),
        }
    }

    /// What was left out.
    pub(crate) fn left_out(&self) -> Repeats {
        self.left_out
    }

    /// Counts what is left out after this many choices. Returns whether it was not counted before.
    pub(crate) fn leave_out(&mut self, choices: usize, repeats: Repeats) -> bool {
        let is_new = choices >= self.from;
        if is_new {
            self.left_out.crashes += repeats.crashes;
            self.left_out.others += repeats.others;
        }
        is_new
    }

    /// A fault happens: of the store if `failing` says so, to the only life.
    pub(crate) fn fail(&mut self, failing: Option<Failing>) {
        if !self.recovery.is_complete() {
            self.recovery = failing.map_or(Recovery::Idle, Recovery::Failing);
        }
    }

    /// Whether whatever can happen from here on happens in another schedule too.
    pub(crate) fn is_recovered(&self) -> bool {
        self.recovery.is_complete()
    }

    /// An event happens at this time, while changes of the log are in flight or not.
    pub(crate) fn see(&mut self, life: u32, what: &What, now: Duration, in_flight: bool) {
        self.recovery.see(life, what, now, in_flight);
        let rows = &mut self.rows;
        match what {
            What::Sent(row) => _ = rows.sent.insert(life, row.sequence),
            What::Landed(row) => {
                rows.writers.insert(row.sequence, life);
                if row.kind == RowKind::Claim {
                    rows.owners.insert(life);
                }
            }
            What::Cleared => *rows = Rows::default(),
            _ => {}
        }
    }

    /// Whether all that a life can still do is to read the log and to be fenced.
    pub(crate) fn is_over(&self, life: u32) -> bool {
        let Rows {
            sent,
            writers,
            owners,
        } = &self.rows;
        let writer = sent.get(&life).and_then(|sequence| writers.get(sequence));
        owners.contains(&life) && writer.is_some_and(|writer| *writer != life)
    }

    /// Passes an instant. Returns whether nothing has happened since the instant before but the silent
    /// work of the same life.
    pub(crate) fn pass(&mut self, passed: Passed, history: &History) -> bool {
        let Some(last) = self.last.replace(passed) else {
            return false;
        };
        let is_same =
            (last.life, last.now, last.operations) == (passed.life, passed.now, passed.operations);
        let mut since = history.0[last.entries..].iter();
        let repeats = is_same
            && last.is_open
            && !last.is_acting
            && !passed.is_acting
            && since.all(|entry| entry.life == passed.life && is_silent(&entry.what));
        if repeats {
            // The next instant may repeat this one, and so the first.
            self.last = Some(Passed {
                is_open: true,
                ..passed
            });
        }
        repeats
    }

    /// Whether the life has only worked silently since it last gave others a turn.
    pub(crate) fn switch_repeats(&self, life: u32, what: &Activity, history: &History) -> bool {
        let Some((since, was_acting)) = self.gave.get(&life) else {
            return false;
        };
        let own = |entry: &&Entry| entry.life == life;
        let mut since = history.0[*since..].iter().filter(own);
        let silent = |what: &What| is_silent(what) || is_switch(what);
        !was_acting && !what.is_acting() && since.all(|entry| silent(&entry.what))
    }

    /// The life gives others a turn.
    pub(crate) fn gave_turn(&mut self, life: u32, what: &Activity, entries: usize) {
        self.gave.insert(life, (entries, what.is_acting()));
    }
}

/// Whether a fault comes from outside of the life: whatever the life does silently before or after the fault
/// is the same. A life heeds a cancellation only when it would begin something.
pub(crate) fn is_independent(fault: Fault) -> bool {
    matches!(
        fault,
        Fault::Crash(_) | Fault::Takeover | Fault::Clock(_) | Fault::Cancel
    )
}

/// Whether an event changes nothing outside of its life, and is the work of the engine alone.
fn is_silent(what: &What) -> bool {
    matches!(
        what,
        What::Sent(_)
            | What::AppendFailed { .. }
            | What::Acknowledged { .. }
            | What::Applied { mismatch: None, .. }
    )
}

fn is_switch(what: &What) -> bool {
    matches!(what, What::Fault(fired) if matches!(fired.fault, Fault::Switch(_)))
}
