//! The transition function, and the fold of a log.
//!
//! [`RunState::apply`] is total: for every state and every event it yields the next state or says
//! which rule the event breaks. The live engine calls it after the store has acknowledged a row,
//! resuming calls it for every row of the log, and nothing else changes a [`RunState`]. It needs no
//! definition: the log alone says what is due.

use crate::core::atoms::Label;
use crate::core::claim::{ClaimRecord, IdHash};
use crate::core::completions::{Completion, Completions};
use crate::core::event::{Event, Polled, RowFault, Undone};
use crate::core::outputs::TaskOutput;
use crate::core::row::CheckpointRow;
use crate::core::run_state::{FailedUndo, Phase, Rollback, RunHeader, RunState, Undo, Visit};
use crate::foreign::{quoted, unquoted};

/// Why an event is illegal in a state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum IllegalEvent {
    /// The log does not open with a claim.
    #[error("the first row is not a claim")]
    FirstRowNotClaim,
    /// The first claim has no input.
    #[error("the first claim has no input")]
    ClaimWithoutInput,
    /// A later claim has an input.
    #[error("a repeated claim has an input")]
    RepeatedClaimWithInput,
    /// The first claim's run id is not its own nonce.
    #[error("the first claim has a run id that is not its nonce")]
    RunIdNotNonce,
    /// A claim names another run.
    #[error("a claim belongs to another run of the id")]
    ForeignRun,
    /// A claim names another definition.
    #[error("a claim names definition {}, but the run belongs to {}", quoted(.found), quoted(.expected))]
    ForeignDefinition {
        /// The definition of the first claim.
        expected: Label,
        /// The definition of this claim.
        found: Label,
    },
    /// The row names a state that is not open.
    #[error("the row names state {}, but the run is in {}", quoted(.found), quoted(.expected))]
    WrongState {
        /// The state that is open.
        expected: Label,
        /// The state that the row names.
        found: Label,
    },
    /// A first claim begins in one of its own exit states.
    #[error("the run begins in the exit state {}", quoted(.0))]
    StartsAtExit(Label),
    /// A row follows the terminal row.
    #[error("a row follows the terminal row")]
    AfterTerminal,
    /// The timer of a visit is set twice.
    #[error("the timer of the visit is set a second time")]
    SecondTimer,
    /// The rounds of a poll do not grow from row to row, or its deadline changes.
    #[error("the rounds of the poll go back, or its deadline changes")]
    PollGoesBack,
    /// A forward row follows the start of a rollback.
    #[error("a forward row follows the start of the rollback")]
    ForwardAfterRollback,
    /// A rollback starts twice.
    #[error("the rollback starts a second time")]
    SecondRollback,
    /// An undo is recorded before a rollback started.
    #[error("an undo is recorded before a rollback started")]
    UndoBeforeRollback,
    /// An undo is recorded out of order.
    #[error("an undo of {} is recorded, but {} is due", unquoted(.found), Due(.expected.as_ref()))]
    UndoOutOfOrder {
        /// The undo that is due: task and row.
        expected: Option<(Label, Undone)>,
        /// The task of the undo that the row records.
        found: Label,
    },
    /// The rollback ends before every undo has succeeded.
    #[error("the rollback ends with {0} undos unsettled or failed")]
    RolledBackTooEarly(usize),
}

/// How an undo that is due reads in a message.
struct Due<'a>(Option<&'a (Label, Undone)>);

impl std::fmt::Display for Due<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some((task, undone)) => {
                write!(f, "{} of sequence {}", unquoted(task), undone.sequence())
            }
        }
    }
}

/// The fault of a row of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum LogFault {
    /// The row has another sequence than expected.
    #[error("expected sequence {expected}")]
    Gap {
        /// The expected sequence.
        expected: u64,
    },
    /// The row can't be decoded.
    #[error(transparent)]
    Row(#[from] RowFault),
    /// The claim is of another workflow id: the store returned the log of another run.
    #[error("the claim is of another workflow id: this is the log of another run")]
    OtherId,
    /// The event of the row is illegal after the rows before it.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
}

/// The first invalid row of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("sequence {sequence}: {fault}")]
pub struct RebuildError {
    /// The sequence of the row.
    pub sequence: u64,
    /// The fault.
    #[source]
    pub fault: LogFault,
}

/// Folds a log into the state of its run. The log must be dense from sequence `0`. Whose log it is,
/// [`rebuild_run`] checks.
///
/// # Errors
///
/// Names the first row that is out of place, undecodable or illegal.
///
/// ```
/// use crashpoint::{CheckpointRow, Phase, rebuild};
///
/// assert_eq!(rebuild(&[])?.phase(), &Phase::Unclaimed);
/// let error = rebuild(&[CheckpointRow::new(0, "Start", "fetch")]).unwrap_err();
/// assert_eq!(error.to_string(), "sequence 0: the first row is not a claim");
/// # Ok::<(), crashpoint::RebuildError>(())
/// ```
pub fn rebuild(rows: &[CheckpointRow]) -> Result<RunState, RebuildError> {
    folded(rows, |_| Ok(()))
}

/// As [`rebuild`], for the log of the run `workflow_id`: each claim of version 2 must name it.
///
/// # Errors
///
/// As [`rebuild`], and [`LogFault::OtherId`].
pub fn rebuild_run(workflow_id: &str, rows: &[CheckpointRow]) -> Result<RunState, RebuildError> {
    let expected = IdHash::of(workflow_id);
    folded(rows, |state| {
        let claim = state.header().map(|header| &header.claim);
        match claim.and_then(|claim| claim.id_hash) {
            Some(found) if found != expected => Err(LogFault::OtherId),
            _ => Ok(()),
        }
    })
}

/// Folds a log. `check` looks at the state after each row.
fn folded(
    rows: &[CheckpointRow],
    check: impl Fn(&RunState) -> Result<(), LogFault>,
) -> Result<RunState, RebuildError> {
    let mut state = RunState::new();
    for row in rows {
        let applied = state.apply_row(row).and_then(|()| check(&state));
        applied.map_err(|fault| RebuildError {
            sequence: row.sequence,
            fault,
        })?;
    }
    state.assert_folds(rows);
    Ok(state)
}

impl RunState {
    /// Applies the event of `row`.
    ///
    /// # Errors
    ///
    /// As [`rebuild`]. The state is then unchanged.
    pub fn apply_row(&mut self, row: &CheckpointRow) -> Result<(), LogFault> {
        if row.sequence != self.next_sequence {
            return Err(LogFault::Gap {
                expected: self.next_sequence,
            });
        }
        self.apply(&Event::from_row(row)?)?;
        Ok(())
    }

    /// Applies `event` as the row at [`next_sequence`](Self::next_sequence).
    ///
    /// # Errors
    ///
    /// If the event is illegal in this state. The state is then unchanged.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let sequence = self.next_sequence;
        match &mut self.phase {
            Phase::Unclaimed => self.first_claim(event)?,
            Phase::Forward(_) => self.apply_forward(event)?,
            Phase::RollingBack(rollback) => match event {
                Event::Claimed { state, claim } => {
                    expect_state(&rollback.state, state)?;
                    claim_again(&mut self.header, claim, sequence)?;
                    rollback.reopen_if_stuck();
                }
                Event::RolledBack => self.phase = rollback.finish()?,
                other => rollback.settle(other)?,
            },
            Phase::Done { .. } | Phase::RolledBack { .. } => {
                return Err(IllegalEvent::AfterTerminal);
            }
        }
        self.next_sequence += 1;
        self.assert_consistent();
        Ok(())
    }

    fn assert_folds(&self, rows: &[CheckpointRow]) {
        assert_eq!(
            self.next_sequence,
            rows.len() as u64,
            "a log that can be folded is dense from 0"
        );
    }

    /// Holds after every legal event of any log: each part of the state is made
    /// of earlier rows of the same log.
    fn assert_consistent(&self) {
        let rows = self.next_sequence;
        let header = self.header.as_ref();
        let header = header.expect("a state with a row has a header: the first row is a claim");
        assert!(
            (1..=rows).contains(&header.lives),
            "each life has a claim of its own in the log"
        );
        assert!(
            header.claim_sequence < rows && header.claim.input.is_none(),
            "the newest claim is a row of the log, and the header keeps the input once"
        );
        if let Some(newest) = self.completed.last() {
            assert!(
                newest.visit < newest.sequence && newest.sequence < rows,
                "a visit is entered before it completes"
            );
        }
        assert!(
            (self.completed.len() as u64) < rows,
            "each completion has a row of its own, and so has the first claim"
        );
        debug_assert!(
            self.outputs
                .iter()
                .all(|(_, output)| (1..rows).contains(&output.sequence)),
            "each output is in a row behind the first claim"
        );
        match &self.phase {
            Phase::Unclaimed => unreachable!("a state with a row is claimed"),
            Phase::Forward(visit) => visit.assert_consistent(rows),
            Phase::RollingBack(rollback) => rollback.assert_consistent(&self.completed),
            Phase::Done { .. } | Phase::RolledBack { .. } => {}
        }
    }

    fn first_claim(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let Event::Claimed { state, claim } = event else {
            return Err(IllegalEvent::FirstRowNotClaim);
        };
        let input = claim.input.clone().ok_or(IllegalEvent::ClaimWithoutInput)?;
        if claim.run_id != claim.nonce {
            return Err(IllegalEvent::RunIdNotNonce);
        }
        if claim.exits.contains(state) {
            return Err(IllegalEvent::StartsAtExit(state.clone()));
        }
        assert_eq!(
            self.next_sequence, 0,
            "a state without a claim is that of no rows"
        );
        self.header = Some(RunHeader {
            run_id: claim.run_id,
            input,
            started_unix_ms: claim.unix_ms,
            lives: 1,
            claim_sequence: self.next_sequence,
            claim: ClaimRecord {
                input: None,
                ..claim.clone()
            },
        });
        self.phase = Phase::Forward(Visit::opened(self.next_sequence, state));
        Ok(())
    }

    fn apply_forward(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let Phase::Forward(visit) = &mut self.phase else {
            unreachable!("apply_forward is called in the forward phase");
        };
        match event {
            Event::Claimed { state, claim } => {
                expect_state(&visit.state, state)?;
                claim_again(&mut self.header, claim, self.next_sequence)
            }
            Event::StepAdvanced { state, cursor, .. } => {
                expect_state(&visit.state, state)?;
                visit.cursor = Some(cursor.clone());
                visit.cursors += 1;
                Ok(())
            }
            Event::TimerStarted {
                state,
                deadline_unix_ms,
                ..
            } => {
                expect_state(&visit.state, state)?;
                if visit.deadline_unix_ms.is_some() {
                    return Err(IllegalEvent::SecondTimer);
                }
                visit.deadline_unix_ms = Some(*deadline_unix_ms);
                Ok(())
            }
            Event::Polled { state, polled, .. } => {
                expect_state(&visit.state, state)?;
                if visit.polled.is_some_and(|before| !polled.follows(before)) {
                    return Err(IllegalEvent::PollGoesBack);
                }
                visit.polled = Some(*polled);
                Ok(())
            }
            Event::Entered { state, .. } | Event::Routed { state, .. } => {
                self.enter(state);
                Ok(())
            }
            Event::Produced {
                state,
                task,
                output,
            } => {
                let output = TaskOutput {
                    sequence: self.next_sequence,
                    output: output.clone(),
                };
                self.outputs.insert(task.clone(), output);
                self.enter(state);
                Ok(())
            }
            Event::Completed {
                state,
                task,
                output,
            } => {
                let (sequence, visit) = (self.next_sequence, visit.id);
                let (task, output) = (task.clone(), output.clone());
                let completion = Completion {
                    sequence,
                    visit,
                    task,
                    output,
                };
                assert!(
                    self.completed
                        .last()
                        .is_none_or(|last| last.sequence < sequence),
                    "a completion comes after those before it"
                );
                self.completed.push(completion);
                self.enter(state);
                Ok(())
            }
            Event::RollbackStarted {
                state,
                task,
                cause,
                undo_open_visit,
            } => {
                expect_state(&visit.state, state)?;
                let mut pending: Vec<Undo> = self.completed.iter().map(Undo::completed).collect();
                if *undo_open_visit {
                    pending.push(Undo::in_doubt(visit.id, task));
                }
                self.phase = Phase::RollingBack(Rollback {
                    state: state.clone(),
                    task: task.clone(),
                    cause: cause.clone(),
                    pending,
                    failed: Vec::new(),
                });
                Ok(())
            }
            Event::Compensated { .. } | Event::CompensationFailed { .. } | Event::RolledBack => {
                Err(IllegalEvent::UndoBeforeRollback)
            }
        }
    }

    /// Closes the open visit. Opens a visit of `state`, or ends the run if that is an exit.
    fn enter(&mut self, state: &Label) {
        let header = self.header.as_ref();
        let header = header.expect("a run that goes forward is claimed");
        self.phase = if header.claim.exits.contains(state) {
            Phase::Done {
                state: state.clone(),
            }
        } else {
            Phase::Forward(Visit::opened(self.next_sequence, state))
        };
    }
}

impl Visit {
    fn opened(id: u64, state: &Label) -> Self {
        Self {
            id,
            state: state.clone(),
            cursor: None,
            cursors: 0,
            deadline_unix_ms: None,
            polled: None,
        }
    }

    fn assert_consistent(&self, rows: u64) {
        let others = u64::from(self.deadline_unix_ms.is_some()) + u64::from(self.polled.is_some());
        assert!(
            self.id + self.cursors + others < rows,
            "each cursor, the timer and the rounds of a visit have a row behind the row that entered it"
        );
        assert_eq!(
            self.cursor.is_some(),
            self.cursors > 0,
            "a visit with a cursor has counted it"
        );
    }
}

impl Polled {
    fn follows(self, before: Self) -> bool {
        self.rounds > before.rounds && self.deadline_unix_ms == before.deadline_unix_ms
    }
}

impl Undo {
    pub(super) fn completed(completion: &Completion) -> Self {
        Self {
            undone: Undone::Completion(completion.sequence),
            visit: completion.visit,
            task: completion.task.clone(),
            output: Some(completion.output.clone()),
        }
    }

    fn in_doubt(visit: u64, task: &Label) -> Self {
        Self {
            undone: Undone::InDoubt(visit),
            visit,
            task: task.clone(),
            output: None,
        }
    }
}

impl Rollback {
    /// Records the settlement of the undo that is due.
    fn settle(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let (task, undone) = match event {
            Event::Compensated { task, undone }
            | Event::CompensationFailed { task, undone, .. } => (task, *undone),
            Event::RollbackStarted { .. } => return Err(IllegalEvent::SecondRollback),
            Event::Claimed { .. }
            | Event::Entered { .. }
            | Event::Produced { .. }
            | Event::Routed { .. }
            | Event::Completed { .. }
            | Event::StepAdvanced { .. }
            | Event::TimerStarted { .. }
            | Event::Polled { .. }
            | Event::RolledBack => return Err(IllegalEvent::ForwardAfterRollback),
        };
        let due = self
            .pending
            .pop_if(|due| due.undone == undone && due.task == *task);
        let Some(undo) = due else {
            let expected = self
                .pending
                .last()
                .map(|due| (due.task.clone(), due.undone));
            return Err(IllegalEvent::UndoOutOfOrder {
                expected,
                found: task.clone(),
            });
        };
        if let Event::CompensationFailed { error, .. } = event {
            self.failed.push(FailedUndo {
                undo,
                error: error.clone(),
            });
        }
        Ok(())
    }

    /// A claim on a stuck run tries the failed undos again, in their first order.
    fn reopen_if_stuck(&mut self) {
        if self.is_stuck() {
            self.pending = self
                .failed
                .drain(..)
                .rev()
                .map(|failed| failed.undo)
                .collect();
            assert!(
                !self.pending.is_empty() && self.failed.is_empty(),
                "a stuck rollback has a failed undo, and each becomes due again"
            );
        }
    }

    fn assert_consistent(&self, completed: &Completions) {
        assert!(
            self.pending.len() + self.failed.len() <= completed.len() + 1,
            "what is owed is a completion or the one visit in doubt, each once"
        );
        let in_doubt = |undo: &&Undo| matches!(undo.undone, Undone::InDoubt(_));
        debug_assert!(
            !self
                .pending
                .iter()
                .rev()
                .skip(1)
                .any(|undo| in_doubt(&undo)),
            "a visit in doubt is undone before all completions"
        );
    }

    fn finish(&self) -> Result<Phase, IllegalEvent> {
        match self.pending.len() + self.failed.len() {
            0 => Ok(Phase::RolledBack {
                state: self.state.clone(),
                task: self.task.clone(),
                cause: self.cause.clone(),
            }),
            unsettled => Err(IllegalEvent::RolledBackTooEarly(unsettled)),
        }
    }
}

fn expect_state(expected: &Label, found: &Label) -> Result<(), IllegalEvent> {
    if expected == found {
        Ok(())
    } else {
        Err(IllegalEvent::WrongState {
            expected: expected.clone(),
            found: found.clone(),
        })
    }
}

/// A repeated claim: the same run, the same definition, perhaps another version of it.
fn claim_again(
    header: &mut Option<RunHeader>,
    claim: &ClaimRecord,
    sequence: u64,
) -> Result<(), IllegalEvent> {
    let header = header.as_mut().expect("a claimed run has a header");
    if claim.input.is_some() {
        return Err(IllegalEvent::RepeatedClaimWithInput);
    }
    if claim.run_id != header.run_id {
        return Err(IllegalEvent::ForeignRun);
    }
    if claim.definition != header.claim.definition {
        return Err(IllegalEvent::ForeignDefinition {
            expected: header.claim.definition.clone(),
            found: claim.definition.clone(),
        });
    }
    header.lives += 1;
    header.claim_sequence = sequence;
    header.claim = claim.clone();
    Ok(())
}
