//! How a run ended, and what went wrong before.

use crate::fault::{AttemptFault, Fault, Schedule};
use crate::history::{Attempt, History, LifeEnd, What};

use crashpoint::Direction;

/// How a run ended, and what went wrong before: the faults of its schedule. If the test has several
/// runs, how each of them ended.
///
/// An invariant that depends on them gets this from
/// [`CrashTest::ending_invariant`](crate::CrashTest::ending_invariant).
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// One for each run.
    outcomes: &'a [LifeEnd],
    history: &'a History,
}

impl<'a> Ending<'a> {
    pub(crate) fn new(outcomes: &'a [LifeEnd], history: &'a History) -> Self {
        assert!(!outcomes.is_empty(), "a simulation has a run");
        Self { outcomes, history }
    }

    /// How the run ended: done, rolled back or stuck. If the test has several runs, this is the first.
    pub fn outcome(&self) -> &'a LifeEnd {
        &self.outcomes[0]
    }

    /// How each run ended: first the run of the test itself, then those that
    /// [`CrashTest::also`](crate::CrashTest::also) has added, in their order.
    pub fn outcomes(&self) -> &'a [LifeEnd] {
        self.outcomes
    }

    /// How many runs are done.
    pub fn done(&self) -> usize {
        let outcomes = self.outcomes.iter();
        outcomes
            .filter(|outcome| matches!(outcome, LifeEnd::Done(_)))
            .count()
    }

    /// Every event of the simulation.
    pub fn history(&self) -> &'a History {
        self.history
    }

    /// The faults of the schedule, in order.
    pub fn schedule(&self) -> Schedule {
        Schedule::of(self.history)
    }

    /// Whether nothing went wrong.
    pub fn is_calm(&self) -> bool {
        self.history.faults().next().is_none()
    }

    /// How often a process crashed.
    pub fn crashes(&self) -> usize {
        self.count(Fault::is_crash)
    }

    /// How often the store failed, answered late, or did something twice.
    pub fn store_faults(&self) -> usize {
        self.count(|fault| matches!(fault, Fault::Store(_)))
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.count(|fault| fault == Fault::Cancel) > 0
    }

    /// How many attempts of the forward action of this task the schedule made to fail.
    pub fn failed_attempts(&self, task: &str) -> usize {
        self.failed(task, Direction::Do)
    }

    /// How many attempts to undo this task the schedule made to fail.
    pub fn failed_undos(&self, task: &str) -> usize {
        self.failed(task, Direction::Undo)
    }

    fn failed(&self, task: &str, direction: Direction) -> usize {
        let failed = self.history.made_to_fail();
        failed
            .filter(|attempt| attempt.task == task && attempt.direction == direction)
            .count()
    }

    fn count(&self, of: impl Fn(Fault) -> bool) -> usize {
        let faults = self.history.faults();
        faults.filter(|(.., fired)| of(fired.fault)).count()
    }
}

impl History {
    /// The attempts that the schedule made to fail, or to meet a service that fails. An attempt that it
    /// made to work twice is none of them: that must succeed.
    pub fn made_to_fail(&self) -> impl Iterator<Item = &Attempt> {
        let failing = |fault| match fault {
            Fault::Attempt(AttemptFault::Twice) => false,
            Fault::Attempt(_) | Fault::Service(_) => true,
            _ => false,
        };
        let faults = self.faults().filter(move |(.., it)| failing(it.fault));
        faults.filter_map(|(place, life, _)| self.under_way(life, place))
    }

    /// The attempt of a life that is under way at a place.
    pub fn under_way(&self, life: u32, place: usize) -> Option<&Attempt> {
        let before = self.0[..place].iter().rev();
        let mut before = before.filter(|entry| entry.life == life);
        before.find_map(|entry| match &entry.what {
            What::Started(attempt) => Some(Some(attempt)),
            What::Finished { .. } | What::Began(_) => Some(None),
            _ => None,
        })?
    }
}
