//! One state of the exploration: the lives, the store, and what the world remembers.
//!
//! Everything is a number into the tables of the [model](super::model), so that a state is a few
//! dozen bytes and equal states are equal numbers.

use crashpoint::protocol::Ended;

use crate::scope::{LIVES_MAX, Scope};

/// A log by its number; the empty one is number `0`.
pub(super) type LogId = u16;

/// A row by its number.
pub(super) type RowId = u16;

/// The number of a life's machine, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LifeId(pub(super) u32);

impl LifeId {
    /// The life has not begun.
    pub(super) const UNBORN: Self = Self(u32::MAX);
    /// The life has crashed, or has returned its outcome.
    pub(super) const GONE: Self = Self(u32::MAX - 1);

    pub(super) fn is_alive(self) -> bool {
        self != Self::UNBORN && self != Self::GONE
    }
}

/// A row in the store, with the life that sent it. The store does not know the sender; the
/// invariants do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Entry {
    pub(super) row: RowId,
    pub(super) author: u8,
}

/// The answer to a command, not yet received by the life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Loaded(LogId),
    LoadFailed,
    Appended,
    AppendFailed,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
    Cleared,
}

/// The state of one life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub(super) life: LifeId,
    /// The answer to its command, once the command has taken effect.
    pub(super) answer: Option<Answer>,
    /// The last row that it sent.
    pub(super) sent: Option<RowId>,
    /// Whether it has acted since another life took over.
    pub(super) spent: bool,
    /// Whether it was cancelled.
    pub(super) cancelled: bool,
}

impl Slot {
    pub(super) const UNBORN: Self = Self {
        life: LifeId::UNBORN,
        answer: None,
        sent: None,
        spent: false,
        cancelled: false,
    };

    pub(super) const GONE: Self = Self {
        life: LifeId::GONE,
        ..Self::UNBORN
    };
}

/// The faults that may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    pub(super) store_errors: u8,
    pub(super) late_appends: u8,
    pub(super) task_failures: u8,
    pub(super) undo_failures: u8,
    pub(super) cancellations: u8,
}

/// One state of the exploration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) slots: [Slot; LIVES_MAX],
    pub(super) log: LogId,
    /// The ledger of the receivers.
    pub(super) ledger: u16,
    /// The endings of runs, and the returned outcomes.
    pub(super) history: u16,
    /// An append that failed and may still land.
    pub(super) wire: Option<Entry>,
    pub(super) budget: Budget,
}

impl World {
    /// The initial state. The empty log, ledger and history have number `0`.
    pub(super) fn initial(scope: &Scope) -> Self {
        Self {
            slots: [Slot::UNBORN; LIVES_MAX],
            log: 0,
            ledger: 0,
            history: 0,
            wire: None,
            budget: Budget {
                store_errors: scope.store_errors,
                late_appends: scope.late_appends,
                task_failures: scope.task_failures,
                undo_failures: scope.undo_failures,
                cancellations: scope.cancellations,
            },
        }
    }
}

/// The effect of one visit of a task. The engine's idempotency key is a hash of exactly this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Deed {
    /// The first byte of the run's nonce.
    pub(super) run: u8,
    pub(super) visit: u64,
    /// The index of the state of the task.
    pub(super) state: usize,
}

/// What two kinds of receivers hold of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Receipt {
    pub(super) deed: Deed,
    /// For a receiver that performs every request; its requests are idempotent.
    pub(super) plain: bool,
    /// For a receiver that honours the idempotency key.
    pub(super) keyed: Keyed,
}

/// What a receiver that honours the idempotency key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Keyed {
    Applied,
    /// The undo came, before or after. The key has no effect any more.
    Voided,
}

/// The effects that the receivers hold, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Ledger(pub(super) Vec<Receipt>);

impl Ledger {
    pub(super) fn with_do(&self, deed: Deed) -> Self {
        self.with(deed, true, |before| before.unwrap_or(Keyed::Applied))
    }

    pub(super) fn with_undo(&self, deed: Deed) -> Self {
        self.with(deed, false, |_| Keyed::Voided)
    }

    fn with(&self, deed: Deed, plain: bool, keyed: impl Fn(Option<Keyed>) -> Keyed) -> Self {
        let mut receipts = self.0.clone();
        match receipts.binary_search_by_key(&deed, |receipt| receipt.deed) {
            Ok(place) => {
                let keyed = keyed(Some(receipts[place].keyed));
                receipts[place] = Receipt { deed, plain, keyed };
            }
            Err(place) => {
                let keyed = keyed(None);
                receipts.insert(place, Receipt { deed, plain, keyed });
            }
        }
        Self(receipts)
    }

    /// The effects of `run` at a receiver that honours keys.
    pub(super) fn keyed(&self, run: u8) -> impl Iterator<Item = Deed> {
        let held = |receipt: &&Receipt| receipt.keyed == Keyed::Applied;
        self.of(run).filter(held).map(|receipt| receipt.deed)
    }

    /// The effects of `run` at any other receiver.
    pub(super) fn plain(&self, run: u8) -> impl Iterator<Item = Deed> {
        let held = |receipt: &&Receipt| receipt.plain;
        self.of(run).filter(held).map(|receipt| receipt.deed)
    }

    fn of(&self, run: u8) -> impl Iterator<Item = &Receipt> {
        self.0.iter().filter(move |receipt| receipt.deed.run == run)
    }
}

/// What an outside observer remembers, whatever happens to the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct LogHistory {
    /// The runs whose ending became durable.
    pub(super) endings: Vec<Ending>,
    /// The outcomes that lives returned to their callers.
    pub(super) returned: Vec<(u8, Ended)>,
    /// Whether a log was cleared.
    pub(super) cleared: bool,
    /// Whether a life claimed while an owner of the run was still alive.
    pub(super) takeover: bool,
}

/// The durable ending of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    pub(super) run: u8,
    pub(super) ended: Ended,
    /// The effects that a stuck run reports as not undone.
    pub(super) leftovers: Vec<Deed>,
}

impl LogHistory {
    pub(super) fn ending(&self, run: u8) -> Option<&Ending> {
        self.endings.iter().find(|ending| ending.run == run)
    }
}
