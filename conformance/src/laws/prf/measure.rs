//! Compares two costs that are measured in turn, over several tries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::Error;

use crate::finding::expect::{Checked, Failure, broken};

/// The number of tries. A store fails only if each of them exceeds the bound.
pub(super) const TRIES: u32 = 4;

/// The costs of a try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    /// The cost that must not exceed a multiple of [`Self::base`].
    pub(super) cost: Duration,
    pub(super) base: Duration,
}

/// The bound of a cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) times: u32,
    /// The least base, since short times are mostly noise.
    pub(super) floor: Duration,
}

/// Tries until the bound holds, or until no try is left.
#[derive(Debug)]
pub(super) struct Trial {
    bound: Bound,
    tries: u32,
    /// The best try so far.
    best: Option<Costs>,
}

impl Trial {
    pub(super) fn new(bound: Bound) -> Self {
        Self {
            bound,
            tries: 0,
            best: None,
        }
    }

    /// Whether another try is needed.
    pub(super) fn goes_on(&self) -> bool {
        self.tries < TRIES && !self.best.is_some_and(|best| self.bound.holds(best))
    }

    /// Records the costs of a try.
    pub(super) fn note(&mut self, costs: Costs, operations: &Operations) -> Checked {
        self.tries += 1;
        assert!(self.tries <= TRIES, "`goes_on` ends the tries");
        let better = self.best.is_none_or(|best| costs.excess() < best.excess());
        if better || self.bound.holds(costs) {
            self.best = Some(costs);
        }
        operations.most_succeeded()
    }

    /// Fails if no try kept the bound. `what` and `of` name the two costs.
    pub(super) fn judge(self, what: &str, of: &str) -> Checked {
        let Some(Costs { cost, base }) = self.best.filter(|best| !self.bound.holds(*best)) else {
            return Ok(());
        };
        let Bound { times, floor } = self.bound;
        Err(broken(format!(
            "{what}: expected at most {times} times {of} (at least {floor:?}), got {cost:?} against \
             {base:?} in the best of {TRIES} tries"
        )))
    }
}

impl Costs {
    /// The cost as a percentage of the base.
    fn excess(self) -> u128 {
        self.cost.as_nanos() * 100 / self.base.as_nanos().max(1)
    }
}

impl Bound {
    fn holds(self, costs: Costs) -> bool {
        costs.cost <= costs.base.max(self.floor) * self.times
    }
}

/// The median.
pub(super) fn median(mut durations: Vec<Duration>) -> Duration {
    // Every try measures a constant number of times.
    assert!(!durations.is_empty(), "a try measures something");
    durations.sort_unstable();
    durations[durations.len() / 2]
}

/// How many operations returned Ok. Other laws check that each does; here it only matters that most did,
/// since the cost of errors says nothing.
#[derive(Debug, Default)]
pub(super) struct Operations {
    done: AtomicU64,
    failed: AtomicU64,
}

impl Operations {
    pub(super) fn note<T>(&self, answer: &Result<T, Error>) {
        let count = if answer.is_ok() {
            &self.done
        } else {
            &self.failed
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn most_succeeded(&self) -> Checked {
        let done = self.done.load(Ordering::Relaxed);
        let failed = self.failed.load(Ordering::Relaxed);
        if done > failed {
            return Ok(());
        }
        Err(Failure::Inconclusive(format!(
            "of the measured operations {failed} returned an error and {done} returned Ok"
        )))
    }
}
