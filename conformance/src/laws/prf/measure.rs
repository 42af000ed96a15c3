//! Two costs, measured in turn, and whether one is beyond a multiple of the other in every try.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crashpoint::Error;

use crate::finding::expect::{Checked, Failure, broken};

/// How often a store may come out beyond a bound before it is objected to.
pub(super) const TRIES: u32 = 4;

/// What a try has measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Costs {
    /// What should not be more than so many times [`Self::base`].
    pub(super) cost: Duration,
    pub(super) base: Duration,
}

/// When costs are beyond a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) times: u32,
    /// A base below this counts as this: what takes hardly any time is mostly noise.
    pub(super) floor: Duration,
}

/// Tries until a bound holds, or too many were in vain.
#[derive(Debug)]
pub(super) struct Trial {
    bound: Bound,
    tries: u32,
    /// The try that came out best.
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

    /// Whether one more is to be measured.
    pub(super) fn goes_on(&self) -> bool {
        self.tries < TRIES && !self.best.is_some_and(|best| self.bound.holds(best))
    }

    /// What the try has measured.
    pub(super) fn note(&mut self, costs: Costs, operations: &Operations) -> Checked {
        self.tries += 1;
        let better = self.best.is_none_or(|best| costs.excess() < best.excess());
        if better || self.bound.holds(costs) {
            self.best = Some(costs);
        }
        operations.most_succeeded()
    }

    /// `what` and `of` say what was measured.
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
    /// How many times the base.
    fn excess(self) -> u128 {
        self.cost.as_nanos() * 100 / self.base.as_nanos().max(1)
    }
}

impl Bound {
    fn holds(self, costs: Costs) -> bool {
        costs.cost <= costs.base.max(self.floor) * self.times
    }
}

/// The middle one, of those that there are.
pub(super) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}

/// How many operations were answered Ok. That each of them is belongs to other laws; but the cost of
/// refusals says nothing.
#[derive(Debug, Default)]
pub(super) struct Operations {
    done: AtomicU64,
    refused: AtomicU64,
}

impl Operations {
    pub(super) fn note<T>(&self, answer: &Result<T, Error>) {
        let count = if answer.is_ok() {
            &self.done
        } else {
            &self.refused
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn most_succeeded(&self) -> Checked {
        let done = self.done.load(Ordering::Relaxed);
        let refused = self.refused.load(Ordering::Relaxed);
        if done > refused {
            return Ok(());
        }
        Err(Failure::Inconclusive(format!(
            "of the operations to be measured {refused} were refused and {done} done"
        )))
    }
}
