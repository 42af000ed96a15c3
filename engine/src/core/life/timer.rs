//! The wait of a timer whose deadline is durable.
//!
//! A life reads the clock, waits for what is left, and reads the clock again: the wait was measured by
//! another clock, and the wall clock may have jumped meanwhile. The timer ends when the wall clock has
//! reached the deadline, and never before.

use std::time::Duration;

use crate::core::event::Event;
use crate::core::life::{Life, Stage, task_of};
use crate::core::life_options::LifeOptions;
use crate::core::run_state::{Phase, Visit};

/// The longest wait between two looks at the clock. If the clock jumps ahead, or the machine sleeps, a
/// timer is late by at most this.
pub(in crate::core) const WAIT_MAX: Duration = Duration::from_secs(6 * 60 * 60);

/// A wait in whole milliseconds. A fraction counts as a whole, so that nothing is early.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A timer that was set, and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::core) struct Waiting {
    /// The index of its state.
    state: usize,
    /// The sequence of the row that entered its visit.
    visit: u64,
    /// The deadline in its row.
    pub(in crate::core) deadline_unix_ms: u64,
}

impl Waiting {
    /// None if the visit has no timer that was set.
    pub(in crate::core) fn of(state: usize, visit: &Visit) -> Option<Self> {
        visit.deadline_unix_ms.map(|deadline_unix_ms| Self {
            state,
            visit: visit.id,
            deadline_unix_ms,
        })
    }
}

impl Life {
    /// Ends the timer if the clock has reached its deadline; otherwise waits for what is left.
    pub(super) fn on_clock(&mut self, waiting: Waiting, unix_ms: u64, options: LifeOptions<'_>) {
        assert!(
            matches!(self.state.phase(), Phase::Forward(open) if open.id == waiting.visit),
            "only the timer of the open visit is waited for"
        );
        let left_ms = waiting.deadline_unix_ms.saturating_sub(unix_ms);
        if left_ms > 0 {
            let left = Duration::from_millis(left_ms).min(WAIT_MAX);
            self.stage = Stage::WaitingForDeadline(waiting, left);
            return;
        }
        let timer = task_of(waiting.state, options);
        let next = timer.edges.as_deref();
        let [next] = next.expect("a timer has its edge") else {
            unreachable!("the builder gives a timer one edge")
        };
        let event = Event::Entered {
            state: options.definition.states[*next].label.clone(),
            task: timer.name.clone(),
        };
        self.pin(event);
    }
}
