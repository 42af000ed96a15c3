//! Observes an engine's life for the oracles.
//!
//! The observer rebuilds the state row by row from the durable rows, and compares it with the live
//! state after every row. The instant between an acknowledgement and the transition is a crash
//! point, which only an observer can reach.

use std::sync::{Arc, Mutex};

use crashpoint::protocol::{Failure, FailureKind};
use crashpoint::{
    CauseKind, CheckpointRow, Direction, Event, LifeId, Observation, Observer, Phase, RowKind,
    RunState,
};

use smol_str::SmolStr;

use crate::executor::lock;
use crate::history::{Attempt, What};
use crate::sim::{Activity, Panics, Process};

/// The observer of one process.
#[derive(Debug)]
pub struct SimObserver {
    process: Process,
    shadow: Mutex<Shadow>,
}

/// The rows that the life knows to be durable, and the state that they rebuild to.
#[derive(Debug, Default)]
struct Shadow {
    state: RunState,
    /// The row that was acknowledged, or that a read-back found durable.
    sent: Option<Arc<CheckpointRow>>,
}

impl SimObserver {
    pub(crate) fn new(process: Process) -> Self {
        Self {
            process,
            shadow: Mutex::default(),
        }
    }

    /// Compares the live state with the rebuilt state.
    fn applied(&self, sequence: u64, live: &RunState) {
        let mut shadow = lock(&self.shadow);
        if shadow.state.next_sequence() < sequence {
            // The first row of this life: the earlier rows were there before.
            shadow.state = self.process.log_before(sequence);
        }
        let row = shadow.sent.take();
        let mismatch = match row.map(|row| shadow.state.apply_row(&row)) {
            Some(Ok(())) if shadow.state == *live => None,
            Some(Ok(())) => Some(format!("live {live:?}\nrebuilt {:?}", shadow.state)),
            Some(Err(fault)) => Some(format!("the row does not rebuild: {fault}")),
            None => Some("a row was applied but never sent".to_owned()),
        };
        let mismatch = mismatch.map(String::into_boxed_str);
        self.process.record(What::Applied { sequence, mismatch });
    }

    /// Records a failure that is a bug of the task although the engine treats it as any other:
    /// otherwise a test of nothing but rollbacks would pass. A panic that the schedule caused is none.
    fn record_bug(&self, failure: &Failure) {
        let message = || failure.message.clone();
        match failure.kind {
            FailureKind::Panic => {
                let by_fault = self.process.panics_by_fault();
                if !by_fault && self.process.sim().panics == Panics::Fail {
                    self.process.record(What::Panicked(message()));
                }
            }
            FailureKind::Unserializable => self.process.record(What::Unserializable(message())),
            FailureKind::Retry | FailureKind::Fatal | FailureKind::Timeout => {}
        }
    }

    /// Records the clock when a life sends the row that ends a timer. It may send it again later, but
    /// has decided by then.
    fn note_end_of_timer(&self, row: &CheckpointRow) {
        let shadow = lock(&self.shadow);
        let again = shadow.sent.as_deref() == Some(row);
        if let Phase::Forward(visit) = shadow.state.phase()
            && visit.deadline_unix_ms.is_some()
            && row.kind == RowKind::StateEntry
            && !again
        {
            let what = What::TimerEnded {
                task: SmolStr::from(&row.task_id),
                visit: visit.id,
                unix_ms: self.process.unix_ms(),
            };
            self.process.record(what);
        }
    }

    /// Records the clock when a life rolls a run back because a poll, which has no failed attempt, ran out
    /// of time.
    fn note_end_of_poll(&self, row: &CheckpointRow) {
        let shadow = lock(&self.shadow);
        let again = shadow.sent.as_deref() == Some(row);
        if let Phase::Forward(visit) = shadow.state.phase()
            && visit
                .polled
                .is_some_and(|polled| polled.deadline_unix_ms.is_some())
            && let Ok(Event::RollbackStarted { task, cause, .. }) = Event::from_row(row)
            && cause.kind == CauseKind::Timeout
            && !again
        {
            self.process.record(What::PollTimedOut {
                task: SmolStr::from(&*task),
                visit: visit.id,
                unix_ms: self.process.unix_ms(),
            });
        }
    }

    fn attempted(&self, task: &str, direction: Direction, succeeded: bool) {
        self.process.record(What::Finished {
            task: task.into(),
            direction,
            succeeded,
        });
    }
}

impl Observer for SimObserver {
    fn on(&self, _: LifeId<'_>, observation: &Observation<'_>) {
        match observation {
            Observation::Sending { row } => {
                self.note_end_of_timer(row);
                self.note_end_of_poll(row);
                let sent = Arc::new((*row).clone());
                self.process.record(What::Sent(Arc::clone(&sent)));
                lock(&self.shadow).sent = Some(sent);
                self.process.set_activity(Activity::Appending(row.sequence));
            }
            Observation::Acknowledged { row } => {
                self.process.record(What::Acknowledged {
                    sequence: row.sequence,
                });
                self.process
                    .instant(&Activity::Appending(row.sequence), "acked");
            }
            Observation::AppendFailed { row, .. } => {
                self.process.record(What::AppendFailed {
                    sequence: row.sequence,
                });
            }
            Observation::Applied { sequence, state } => self.applied(*sequence, state),
            Observation::Started {
                task,
                direction,
                visit,
                cursors,
                round,
                attempt,
            } => {
                let task = SmolStr::from(*task);
                self.process
                    .set_activity(Activity::Acting(*direction, task.clone()));
                self.process.record(What::Started(Attempt {
                    task,
                    direction: *direction,
                    visit: *visit,
                    step: *cursors,
                    round: *round,
                    unix_ms: self.process.unix_ms(),
                    attempt: *attempt,
                }));
            }
            Observation::Succeeded { task, direction } => self.attempted(task, *direction, true),
            Observation::Failed {
                task,
                direction,
                failure,
            } => {
                // Record it while the attempt is still under way in the history.
                self.record_bug(failure);
                self.attempted(task, *direction, false);
            }
            Observation::Waiting {
                task,
                visit,
                duration,
                ..
            } => {
                let task = SmolStr::from(*task);
                self.process
                    .set_activity(Activity::Acting(Direction::Do, task.clone()));
                let wait_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
                self.process.record(What::Waits {
                    task,
                    visit: *visit,
                    until_unix_ms: self.process.unix_ms().saturating_add(wait_ms),
                });
            }
            Observation::Cancelled { task } => self.attempted(task, Direction::Do, false),
            _ => {}
        }
    }
}

impl Process {
    /// The state that the log rebuilds to before `sequence`, from the rows that landed since it was
    /// last empty.
    fn log_before(&self, sequence: u64) -> RunState {
        let mut state = RunState::new();
        let simulation = self.sim().state();
        let cleared = |what: &What| matches!(what, What::Cleared);
        let newest = simulation.lasting.entries_of(self.run()).rev();
        let newest = newest.take_while(|entry| !cleared(&entry.what));
        let landed = newest.filter_map(|entry| match &entry.what {
            What::Landed(row) if row.sequence < sequence => Some(&**row),
            _ => None,
        });
        let mut rows: Vec<&CheckpointRow> = landed.collect();
        // In the order in which they landed, and then by sequence.
        rows.reverse();
        rows.sort_by_key(|row| row.sequence);
        for event in rows.into_iter().filter_map(|row| Event::from_row(row).ok()) {
            // An illegal log leaves the rebuilt state incomplete; the comparison reports it.
            _ = state.apply(&event);
        }
        state
    }
}
