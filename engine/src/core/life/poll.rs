//! The rounds of a polling task.
//!
//! A round leaves no row. The log has the deadline of the visit, before the first round, and the number
//! of rounds each time that it has doubled. So a visit of a million rounds leaves twenty rows, and a life
//! that resumes it goes on with at least half of the rounds that were made.

use std::time::Duration;

use crate::core::command::Work;
use crate::core::event::{Cause, CauseKind, Event, Polled};
use crate::core::life::{Life, Stage, task_of, whole_ms};
use crate::core::life_options::LifeOptions;
use crate::core::run_state::{Phase, Visit};

/// The number of rounds that is recorded first. Most visits have fewer, and leave no row for them.
const RECORDED_FROM: u64 = 4;

/// The next round of a polling task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::core) struct Round {
    /// The index of the state.
    state: usize,
    /// The visit, with the rounds that this life knows of.
    pub(in crate::core) visit: Visit,
}

impl Round {
    pub(in crate::core) fn polled(&self) -> Polled {
        self.visit.polled.unwrap_or_default()
    }
}

impl Life {
    /// Begins the next round, or records first what has to be durable before it.
    pub(super) fn begin_round(&mut self, state: usize, visit: Visit, options: LifeOptions<'_>) {
        let round = Round { state, visit };
        let (polled, durable) = (round.polled(), self.recorded());
        if is_recorded(polled.rounds) && polled.rounds > durable.unwrap_or_default().rounds {
            return self.record_rounds(&round, polled, options);
        }
        let limit = task_of(state, options).policy.poll_limit;
        let needs_deadline = durable.is_none() && limit.is_some();
        if needs_deadline || polled.deadline_unix_ms.is_some() {
            let pause = None;
            self.stage = Stage::CheckingDeadline { round, pause };
        } else {
            self.perform_round(round);
        }
    }

    /// What the log says of the rounds of the open visit.
    fn recorded(&self) -> Option<Polled> {
        match self.state.phase() {
            Phase::Forward(open) => open.polled,
            _ => unreachable!("only a run that goes forward polls"),
        }
    }

    fn record_rounds(&mut self, round: &Round, polled: Polled, options: LifeOptions<'_>) {
        self.pin(Event::Polled {
            state: round.visit.state.clone(),
            task: task_of(round.state, options).name.clone(),
            polled,
        });
    }

    fn perform_round(&mut self, round: Round) {
        let Round { state, visit } = round;
        self.stage = Stage::Performing {
            work: Work::Do { state, visit },
            attempt: 1,
        };
    }

    /// The task is not ready: another round follows after `delay`.
    pub(super) fn round_is_over(&mut self, state: usize, mut visit: Visit, delay: Duration) {
        let polled = visit.polled.get_or_insert_default();
        polled.rounds = polled.rounds.saturating_add(1);
        let has_deadline = polled.deadline_unix_ms.is_some();
        let round = Round { state, visit };
        self.stage = if has_deadline {
            let pause = Some(delay);
            Stage::CheckingDeadline { round, pause }
        } else {
            Stage::PausingBeforeRound { round, delay }
        };
    }

    /// Sets the deadline of the visit, or holds the clock against it: before a pause, or before a round.
    pub(super) fn on_clock_of_poll(
        &mut self,
        round: Round,
        pause: Option<Duration>,
        unix_ms: u64,
        options: LifeOptions<'_>,
    ) {
        let polled = round.polled();
        let Some(deadline_unix_ms) = polled.deadline_unix_ms else {
            let limit = task_of(round.state, options).policy.poll_limit;
            let limit = limit.expect("the clock is read only for a deadline");
            let polled = Polled {
                deadline_unix_ms: Some(unix_ms.saturating_add(whole_ms(limit))),
                ..polled
            };
            return self.record_rounds(&round, polled, options);
        };
        let left = Duration::from_millis(deadline_unix_ms.saturating_sub(unix_ms));
        match pause {
            _ if left.is_zero() => {
                let cause = Cause::new(CauseKind::Timeout, "not ready at its deadline");
                self.start_rollback(cause, options);
            }
            Some(delay) => {
                let delay = delay.min(left);
                self.stage = Stage::PausingBeforeRound { round, delay };
            }
            None => self.perform_round(round),
        }
    }

    /// The pause before a round is over.
    pub(super) fn on_round_due(&mut self, round: Round, options: LifeOptions<'_>) {
        self.begin_round(round.state, round.visit, options);
    }
}

/// Whether this number of rounds is recorded before the next round.
fn is_recorded(rounds: u64) -> bool {
    rounds >= RECORDED_FROM && rounds.is_power_of_two()
}
