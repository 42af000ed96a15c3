//! One process's ownership of a run, as a pure machine.
//!
//! A [`Life`] shows one command at a time ([`Machine::command`]) and takes its reply
//! ([`Machine::on`]). It claims the run, pins appends, reads the log back when an append is in doubt,
//! notices a takeover, counts attempts, and ends with a [`Verdict`]. It makes every decision of the
//! protocol about crashes and takeovers. The driver only performs commands, and the protocol check
//! explores this same machine against a model of a store.
//!
//! The state of the run changes only in `apply_durable`.
//!
//! The `pub(super)` items are for the mutants in `mutant/`, which wrap a life and break a rule from
//! outside. Nothing here knows a mutant.

mod poll;
mod results;
mod timer;

use std::time::Duration;

use crate::core::atoms::{Bytes, Label};
use crate::core::claim::{ClaimRecord, IdHash, Nonce};
use crate::core::command::{Command, Halt, Reply, StoreFailed, Verdict, Work};
use crate::core::decide::{Decision, Ended, decide};
use crate::core::definition::{TaskDefinition, TaskKind};
use crate::core::digest::LogDigest;
use crate::core::event::{Cause, CauseKind, Event};
use crate::core::life_options::{LifeOptions, Opening, Retention};
use crate::core::machine::{Machine, Wait};
use crate::core::pinned::{Pinned, Standing};
use crate::core::row::CheckpointRow;
use crate::core::run_state::{Phase, RunState, Undo};
use crate::core::transition::rebuild_run;

use poll::Round;

pub(crate) use timer::whole_ms;
pub(super) use timer::{WAIT_MAX, Waiting};

/// The most claims of a resume that loses each to another life.
const CLAIMS_MAX: u32 = 8;

/// One process's ownership of a run: see the module's docs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Life {
    opening: Opening,
    nonce: Nonce,
    unix_ms: u64,
    pub(super) state: RunState,
    /// The digest of the rows that `state` is the fold of.
    pub(super) known: LogDigest,
    /// Whether this life's claim is durable.
    pub(super) owner: bool,
    claims_lost: u32,
    cancel_requested: bool,
    pub(super) stage: Stage,
}

/// What a life is waiting for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Loading,
    Appending(Pinned),
    ReadingBack(Pinned),
    PausingBeforeResend(Pinned, Duration),
    Performing {
        work: Work,
        attempt: u32,
    },
    PausingBeforeRetry {
        work: Work,
        attempt: u32,
        delay: Duration,
    },
    ReadingClock(Waiting),
    WaitingForDeadline(Waiting, Duration),
    /// Reads the clock before a pause, or before a round.
    CheckingDeadline {
        round: Round,
        pause: Option<Duration>,
    },
    PausingBeforeRound {
        round: Round,
        delay: Duration,
    },
    Clearing(Ended),
    Finished(Verdict),
}

impl Life {
    /// A new life. `nonce` must be fresh; `unix_ms` is the wall clock in
    /// milliseconds since 1970-01-01 UTC.
    ///
    /// # Panics
    ///
    /// If a new run's first state is no state of the definition. The caller checks that.
    pub fn new(opening: Opening, nonce: Nonce, unix_ms: u64, options: LifeOptions<'_>) -> Self {
        assert!(
            options.append_retry.sends_max >= 1,
            "the engine raises 0 sends to 1"
        );
        let mut life = Self {
            opening,
            nonce,
            unix_ms,
            state: RunState::new(),
            known: LogDigest::EMPTY,
            owner: false,
            claims_lost: 0,
            cancel_requested: false,
            stage: Stage::Loading,
        };
        if let Opening::Run { state, input } = &life.opening {
            assert!(
                options.definition.state_of_label(state).is_some(),
                "{state:?} is a state"
            );
            let (state, input) = (state.clone(), Some(input.clone()));
            life.claim(state, life.nonce, input, options);
        }
        life
    }
}

impl Machine for Life {
    fn command(&self) -> Command<'_> {
        match &self.stage {
            Stage::Loading | Stage::ReadingBack(_) => Command::Load,
            Stage::Appending(pinned) => Command::Append(&pinned.row),
            Stage::PausingBeforeResend(_, delay)
            | Stage::PausingBeforeRetry { delay, .. }
            | Stage::WaitingForDeadline(_, delay)
            | Stage::PausingBeforeRound { delay, .. } => Command::Pause(*delay),
            Stage::ReadingClock(_) | Stage::CheckingDeadline { .. } => Command::ReadClock,
            Stage::Performing { work, attempt } => Command::Perform {
                work,
                attempt: *attempt,
            },
            Stage::Clearing(_) => Command::Clear,
            Stage::Finished(verdict) => Command::Finish(verdict),
        }
    }

    fn on(&mut self, reply: Reply, options: LifeOptions<'_>) {
        let finished = Stage::Finished(Err(Halt::Fenced));
        match (std::mem::replace(&mut self.stage, finished), reply) {
            (Stage::Loading, Reply::Loaded(log)) => self.loaded(log, options),
            (Stage::Appending(pinned), Reply::Appended(Ok(()))) => {
                self.acknowledged(&pinned, options);
            }
            (Stage::Appending(pinned), Reply::Appended(Err(StoreFailed))) => {
                self.stage = Stage::ReadingBack(pinned);
            }
            (Stage::ReadingBack(pinned), Reply::Loaded(log)) => {
                self.read_back(pinned, log, options);
            }
            (Stage::PausingBeforeResend(pinned, _), Reply::Paused) => {
                let sends = pinned.sends + 1;
                assert!(
                    sends <= options.append_retry.sends_max,
                    "a pause before a resend is asked for only where a send is left"
                );
                self.stage = Stage::Appending(Pinned { sends, ..pinned });
            }
            (Stage::Performing { work, attempt }, Reply::Performed(performed)) => match work {
                Work::Do { state, visit } => {
                    self.on_task_result(state, visit, attempt, performed, options);
                }
                Work::Undo { state, undo } => {
                    self.on_undo_result(state, undo, attempt, performed, options);
                }
            },
            (Stage::PausingBeforeRetry { work, attempt, .. }, Reply::Paused) => {
                self.stage = Stage::Performing {
                    work,
                    attempt: attempt + 1,
                };
                self.obey_cancellation(options);
            }
            (Stage::ReadingClock(waiting), Reply::Clock { unix_ms }) => {
                self.on_clock(waiting, unix_ms, options);
            }
            (Stage::WaitingForDeadline(waiting, _), Reply::Paused) => {
                self.stage = Stage::ReadingClock(waiting);
                self.obey_cancellation(options);
            }
            (Stage::CheckingDeadline { round, pause }, Reply::Clock { unix_ms }) => {
                self.on_clock_of_poll(round, pause, unix_ms, options);
            }
            (Stage::PausingBeforeRound { round, .. }, Reply::Paused) => {
                self.on_round_due(round, options);
                self.obey_cancellation(options);
            }
            (Stage::Clearing(ended), Reply::Cleared) => {
                assert!(
                    ended.is_terminal(),
                    "the log of a stuck run is never cleared"
                );
                self.finish(Ok(ended));
            }
            (stage, reply) => panic!("{reply:?} does not answer {stage:?}"),
        }
    }

    fn cancel(&mut self, _: LifeOptions<'_>) {
        self.cancel_requested = true;
    }

    fn state(&self) -> &RunState {
        &self.state
    }

    fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Loading)
    }

    fn cancellation_ends_pause(&self) -> bool {
        matches!(
            self.stage,
            Stage::WaitingForDeadline(..)
                | Stage::PausingBeforeRound { .. }
                | Stage::PausingBeforeRetry {
                    work: Work::Do { .. },
                    ..
                }
        )
    }

    fn wait(&self) -> Option<Wait> {
        match &self.stage {
            Stage::WaitingForDeadline(waiting, _) => Some(Wait::Deadline {
                deadline_unix_ms: waiting.deadline_unix_ms,
            }),
            Stage::PausingBeforeRound { round, .. } => Some(Wait::Round {
                rounds: round.polled().rounds,
            }),
            _ => None,
        }
    }
}

impl Life {
    pub(super) fn finish(&mut self, verdict: Verdict) {
        self.stage = Stage::Finished(verdict);
    }

    // ---- loading and claiming ----

    fn loaded(&mut self, log: Result<Vec<CheckpointRow>, StoreFailed>, options: LifeOptions<'_>) {
        let Ok(log) = log else {
            return self.finish(Err(Halt::Suspended { in_doubt: None }));
        };
        if log.is_empty() {
            return self.finish(Err(Halt::NotFound));
        }
        assert!(
            !self.owner,
            "a life that owns the run reads back, and never opens it again"
        );
        match rebuild_run(options.workflow_id, &log) {
            Ok(state) => self.state = state,
            Err(corrupt) => return self.finish(Err(Halt::Corrupt(corrupt))),
        }
        self.known = LogDigest::of(&log);
        assert_eq!(
            self.known.rows(),
            self.state.next_sequence(),
            "the state of a log has as many rows as the log"
        );
        if let Err(mismatch) = options.definition.check(&log, &self.state) {
            return self.finish(Err(Halt::Mismatch(mismatch)));
        }
        self.open_existing(options);
    }

    /// A log that fits the definition has an ending, or needs a claim.
    pub(super) fn open_existing(&mut self, options: LifeOptions<'_>) {
        let retry = self.opening == Opening::RetryStuck;
        match (self.state.ended(), retry) {
            (Some(Ended::Stuck { .. }), true) | (None, false) => self.claim_existing(options),
            (_, true) => self.finish(Err(Halt::NotStuck)),
            (Some(ended), false) => self.end(ended, options),
        }
    }

    pub(super) fn claim_existing(&mut self, options: LifeOptions<'_>) {
        let state = self.state.current_state();
        let state = state.expect("a loaded log has a claim").clone();
        let header = self.state.header();
        let run_id = header.expect("a loaded log has a claim").run_id;
        self.claim(state, run_id, None, options);
    }

    fn claim(
        &mut self,
        state: Label,
        run_id: Nonce,
        input: Option<Bytes>,
        options: LifeOptions<'_>,
    ) {
        assert!(!self.owner, "a life claims once");
        assert_eq!(
            input.is_some(),
            self.state.next_sequence() == 0,
            "the first claim of a run, and no other, carries the input"
        );
        let claim = ClaimRecord {
            id_hash: Some(IdHash::of(options.workflow_id)),
            run_id,
            nonce: self.nonce,
            definition: options.definition.name.clone(),
            version: options.definition.version,
            fingerprint: options.definition.fingerprint(),
            unix_ms: self.unix_ms,
            exits: options.definition.exits(),
            input,
        };
        self.pin(Event::Claimed { state, claim });
    }

    /// Another life's row has the sequence of this life's claim.
    fn lost_claim(&mut self) {
        assert!(!self.owner, "a claim is lost before it is durable");
        if matches!(self.opening, Opening::Run { .. }) {
            return self.finish(Err(Halt::AlreadyExists));
        }
        self.claims_lost += 1;
        assert!(
            self.claims_lost <= CLAIMS_MAX,
            "a life that lost its last claim is over"
        );
        if self.claims_lost < CLAIMS_MAX {
            self.stage = Stage::Loading;
        } else {
            self.finish(Err(Halt::Fenced));
        }
    }

    // ---- appending ----

    /// Sends `event` as the next row. Until its outcome is known, the life sends no other row.
    pub(super) fn pin(&mut self, event: Event) {
        self.stage = Stage::Appending(Pinned::new(event, self.state.next_sequence()));
    }

    fn read_back(
        &mut self,
        pinned: Pinned,
        log: Result<Vec<CheckpointRow>, StoreFailed>,
        options: LifeOptions<'_>,
    ) {
        assert!(
            self.owner || matches!(pinned.event, Event::Claimed { .. }),
            "the first row that a life sends is its claim"
        );
        let in_doubt = Some(pinned.row.sequence);
        let Ok(log) = log else {
            return self.finish(Err(Halt::Suspended { in_doubt }));
        };
        match pinned.standing(&log, self.known) {
            Standing::Durable => self.acknowledged(&pinned, options),
            Standing::Absent if pinned.sends < options.append_retry.sends_max => {
                self.stage = Stage::PausingBeforeResend(pinned, options.append_retry.delay);
            }
            Standing::Absent => self.finish(Err(Halt::Suspended { in_doubt })),
            Standing::Taken | Standing::Rewritten if !self.owner => self.lost_claim(),
            Standing::Overtaken | Standing::Taken | Standing::Rewritten => {
                self.finish(Err(Halt::Fenced));
            }
        }
    }

    fn acknowledged(&mut self, pinned: &Pinned, options: LifeOptions<'_>) {
        self.apply_durable(pinned);
        self.advance(options);
    }

    /// The one place where a live run's state changes: its row is durable.
    pub(super) fn apply_durable(&mut self, pinned: &Pinned) {
        assert_eq!(
            pinned.row.sequence,
            self.state.next_sequence(),
            "a row is pinned at the next sequence, and nothing is applied while it is in flight"
        );
        self.known = self.known.extended(&pinned.row);
        let legal = self.state.apply(&pinned.event);
        assert!(
            legal.is_ok(),
            "the engine appended an illegal event: {legal:?}"
        );
        assert_eq!(
            self.known.rows(),
            self.state.next_sequence(),
            "the digest is of the rows that the state is the fold of"
        );
        self.owner = true;
    }

    // ---- going on ----

    /// Goes on with the next need of the run.
    pub(super) fn advance(&mut self, options: LifeOptions<'_>) {
        assert!(self.owner, "a life goes on after its own claim is durable");
        match decide(&self.state) {
            Decision::Begin => unreachable!("a life that advances has claimed"),
            Decision::Do(visit) => {
                let state = options.definition.state_of_label(&visit.state);
                let state = state.expect("the state was checked before the claim");
                let visit = visit.clone();
                if let Some(waiting) = Waiting::of(state, &visit) {
                    self.stage = Stage::ReadingClock(waiting);
                } else if task_of(state, options).kind == TaskKind::Poll {
                    self.begin_round(state, visit, options);
                } else {
                    self.stage = Stage::Performing {
                        work: Work::Do { state, visit },
                        attempt: 1,
                    };
                }
                self.obey_cancellation(options);
            }
            Decision::Undo(undo) => {
                let work = undo_work(undo, options);
                self.stage = Stage::Performing { work, attempt: 1 };
            }
            Decision::RecordRolledBack => self.pin(Event::RolledBack),
            Decision::Nothing => {
                let ended = self.state.ended();
                self.end(ended.expect("a run that needs nothing has ended"), options);
            }
        }
    }

    /// Finishes with a durable ending, and clears the log first if the retention says so.
    pub(super) fn end(&mut self, ended: Ended, options: LifeOptions<'_>) {
        match options.retention {
            Retention::ClearWhenDone if ended.is_terminal() => self.stage = Stage::Clearing(ended),
            Retention::Keep | Retention::ClearWhenDone => self.finish(Ok(ended)),
        }
    }

    pub(super) fn may_start_rollback(&self) -> bool {
        self.owner && matches!(self.state.phase(), Phase::Forward(_))
    }

    fn obey_cancellation(&mut self, options: LifeOptions<'_>) {
        if self.cancel_requested && self.may_start_rollback() {
            self.start_rollback(Cause::new(CauseKind::Cancelled, ""), options);
        }
    }

    /// Starts the rollback. After its row no task runs.
    pub(super) fn start_rollback(&mut self, cause: Cause, options: LifeOptions<'_>) {
        assert!(
            self.owner,
            "a life rolls back only a run that it has claimed"
        );
        let Phase::Forward(visit) = self.state.phase() else {
            unreachable!("only a run that goes forward is rolled back");
        };
        let state = options
            .definition
            .state_of_label(&visit.state)
            .expect("the open state is known");
        let task = task_of(state, options);
        let event = Event::RollbackStarted {
            state: visit.state.clone(),
            task: task.name.clone(),
            cause,
            undo_open_visit: task.kind == TaskKind::Compensatable,
        };
        self.pin(event);
    }
}

/// The task of a state that is open, or whose task is undone.
fn task_of(state: usize, options: LifeOptions<'_>) -> &TaskDefinition {
    let task = options.definition.task(state);
    task.expect("a run leaves a state only by its task, and an exit has none")
}

/// The work of an undo.
pub(super) fn undo_work(undo: &Undo, options: LifeOptions<'_>) -> Work {
    let state = options.definition.state_of_task(&undo.task);
    Work::Undo {
        state: state.expect("the task was checked before the claim"),
        undo: undo.clone(),
    }
}
