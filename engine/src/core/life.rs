//! One process's ownership of a run, as a pure machine.
//!
//! A [`Life`] asks for one thing at a time ([`Life::command`]) and is told what came of it
//! ([`Life::on`]). It claims, pins appends, reads them back when the store is in doubt, notices
//! that it has been fenced, counts attempts, and ends with a [`Verdict`]. Everything that the
//! protocol promises over crashes and takeovers is decided here; the driver only performs, and the
//! simulator's protocol check explores this same machine against a model of a store.
//!
//! The state of the run changes in one place, `acknowledged`, and only there.

use std::time::Duration;

use crate::core::claim::{ClaimRecord, Nonce};
use crate::core::command::{
    Command, Failure, FailureKind, Halt, Performed, Reply, StoreFailed, Verdict, Work,
};
use crate::core::decide::{Decision, Ended, decide};
use crate::core::definition::{RetryPolicy, TaskKind};
use crate::core::digest::LogDigest;
use crate::core::event::{Bytes, Cause, CauseKind, Event, Label, shortened};
use crate::core::pinned::{Pinned, Standing};
use crate::core::plan::{Opening, Plan, Retention};
use crate::core::rules::{Rule, Rules};
use crate::core::run_state::{Phase, RunState, Undo, Visit};
use crate::core::sabotage::Sabotage;
use crate::core::transition::rebuild;
use crate::recovery::CheckpointRow;

/// How often a resume that loses its claim to another life tries again.
const CLAIMS_MAX: u32 = 8;

/// A life: see the module's docs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Life<R> {
    pub(super) rules: R,
    opening: Opening,
    nonce: Nonce,
    unix_ms: u64,
    pub(super) state: RunState,
    known: LogDigest,
    owner: bool,
    claims_lost: u32,
    cancel_requested: bool,
    pub(super) stage: Stage,
    pub(super) sabotage: Sabotage,
}

/// What a life waits for.
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
    Clearing(Ended),
    Finished(Verdict),
}

impl<R: Rules> Life<R> {
    /// A life that has asked for nothing yet. `nonce` must be fresh, `unix_ms` is the wall clock.
    ///
    /// # Panics
    ///
    /// Where a new run's first state is no state of the definition: the caller has checked that.
    pub fn new(rules: R, opening: Opening, nonce: Nonce, unix_ms: u64, plan: Plan<'_>) -> Self {
        let nonce = if rules.keeps(Rule::ClaimsAreUnique) {
            nonce
        } else {
            Nonce([0; 16])
        };
        let mut life = Self {
            rules,
            opening,
            nonce,
            unix_ms,
            state: RunState::new(),
            known: LogDigest::EMPTY,
            owner: false,
            claims_lost: 0,
            cancel_requested: false,
            stage: Stage::Loading,
            sabotage: Sabotage::default(),
        };
        if let Opening::Run { state, input } = &life.opening {
            assert!(
                (plan.definition.resolve)(state).is_some(),
                "{state:?} is a state"
            );
            let (state, input) = (state.clone(), Some(input.clone()));
            life.claim(state, life.nonce, input, plan);
        }
        life
    }

    /// What the life asks for now.
    pub fn command(&self) -> Command<'_> {
        match &self.stage {
            Stage::Loading | Stage::ReadingBack(_) => Command::Load,
            Stage::Appending(pinned) => Command::Append(&pinned.row),
            Stage::PausingBeforeResend(_, delay) | Stage::PausingBeforeRetry { delay, .. } => {
                Command::Pause(*delay)
            }
            Stage::Performing { work, attempt } => Command::Perform {
                work,
                attempt: *attempt,
            },
            Stage::Clearing(_) => Command::Clear,
            Stage::Finished(verdict) => Command::Finish(verdict),
        }
    }

    /// The run as this life knows it: what the acknowledged rows amount to.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Whether the life is about to learn what the log holds, before it has claimed.
    pub fn is_opening(&self) -> bool {
        matches!(self.stage, Stage::Loading)
    }

    /// Asks the run to turn around. It does so at the next decision while it goes forward: an
    /// append in flight is resolved first, and an exit entry that it was wins.
    pub fn cancel(&mut self, plan: Plan<'_>) {
        self.cancel_requested = true;
        if self.cancellation_drops_append() {
            self.turn_around(Cause::new(CauseKind::Cancelled, ""), plan);
        }
    }

    /// Whether a cancellation drops the append in flight: never, where the rule that says so is
    /// kept, and else unless it is already the one that turns the run around.
    pub fn cancellation_drops_append(&self) -> bool {
        !self.rules.keeps(Rule::CancelWaitsForAppend)
            && self.may_turn_around()
            && matches!(
                &self.stage,
                Stage::Appending(Pinned { event, .. })
                    if !matches!(event, Event::RollbackStarted { .. })
            )
    }

    /// Whether a cancellation ends the pause that the life asks for: it does where the pause is one
    /// before the next attempt of a forward action. The store and the undos are given their time.
    pub fn cancellation_ends_pause(&self) -> bool {
        matches!(
            self.stage,
            Stage::PausingBeforeRetry {
                work: Work::Do { .. },
                ..
            }
        )
    }

    /// Takes what came of the present command.
    ///
    /// # Panics
    ///
    /// Where `reply` does not answer the present command: that is a bug of the driver.
    pub fn on(&mut self, reply: Reply, plan: Plan<'_>) {
        let finished = Stage::Finished(Err(Halt::Fenced));
        match (std::mem::replace(&mut self.stage, finished), reply) {
            (Stage::Loading, Reply::Loaded(log)) => self.loaded(log, plan),
            (Stage::Appending(pinned), Reply::Appended(result)) => {
                self.appended(pinned, result, plan);
            }
            (Stage::ReadingBack(pinned), Reply::Loaded(log)) => self.read_back(pinned, log, plan),
            (Stage::PausingBeforeResend(pinned, _), Reply::Paused) => {
                let sends = pinned.sends + 1;
                self.stage = Stage::Appending(Pinned { sends, ..pinned });
            }
            (Stage::Performing { work, attempt }, Reply::Performed(performed)) => {
                self.performed(work, attempt, performed, plan);
            }
            (Stage::PausingBeforeRetry { work, attempt, .. }, Reply::Paused) => {
                self.stage = Stage::Performing {
                    work,
                    attempt: attempt + 1,
                };
                self.heed_cancellation(plan);
            }
            (Stage::Clearing(ended), Reply::Cleared) => self.finish(Ok(ended)),
            (stage, reply) => panic!("{reply:?} does not answer {stage:?}"),
        }
    }

    fn finish(&mut self, verdict: Verdict) {
        self.stage = Stage::Finished(verdict);
    }

    // ---- loading and claiming ----

    fn loaded(&mut self, log: Result<Vec<CheckpointRow>, StoreFailed>, plan: Plan<'_>) {
        let Ok(log) = log else {
            return self.finish(Err(Halt::Suspended { in_doubt: None }));
        };
        if log.is_empty() {
            return self.finish(Err(Halt::NotFound));
        }
        let legal = match rebuild(&log) {
            Ok(state) => {
                self.state = state;
                &log[..]
            }
            Err(_) if !self.rules.keeps(Rule::CorruptionStops) => self.sabotage_legal_prefix(&log),
            Err(corrupt) => return self.finish(Err(Halt::Corrupt(corrupt))),
        };
        self.known = LogDigest::of(legal);
        self.sabotage_remember_cursors(legal);
        if self.rules.keeps(Rule::MismatchBeforeClaim)
            && let Err(mismatch) = plan.definition.check(legal, &self.state)
        {
            return self.finish(Err(Halt::Mismatch(mismatch)));
        }
        self.open_existing(plan);
    }

    /// Decides what a log that fits needs: its answer, or a claim.
    fn open_existing(&mut self, plan: Plan<'_>) {
        let retry = self.opening == Opening::RetryStuck;
        let absorbs = self.rules.keeps(Rule::TerminalAbsorbs);
        match (self.state.ended(), retry) {
            (Some(Ended::Stuck { .. }), true) | (None, false) => {}
            (_, true) => return self.finish(Err(Halt::NotStuck)),
            (Some(ended), false) if absorbs || !ended.is_terminal() => {
                return self.told(ended, plan);
            }
            (Some(_), false) => {}
        }
        if self.sabotage_leave_rollback() {
            return;
        }
        let state = self
            .state
            .current_state()
            .expect("a loaded log has a claim")
            .clone();
        let run_id = self
            .state
            .header()
            .expect("a loaded log has a claim")
            .run_id;
        self.claim(state, run_id, None, plan);
    }

    fn claim(&mut self, state: Label, run_id: Nonce, input: Option<Bytes>, plan: Plan<'_>) {
        let claim = ClaimRecord {
            run_id,
            nonce: self.nonce,
            definition: plan.definition.name.clone(),
            version: plan.definition.version,
            fingerprint: plan.definition.fingerprint(),
            unix_ms: self.unix_ms,
            exits: plan.definition.exits(),
            input,
        };
        self.pin(Event::Claimed { state, claim }, plan);
    }

    /// Another life's row stands where this life's claim should.
    fn lost_claim(&mut self) {
        if matches!(self.opening, Opening::Run { .. }) {
            return self.finish(Err(Halt::AlreadyExists));
        }
        self.claims_lost += 1;
        if self.claims_lost < CLAIMS_MAX {
            self.stage = Stage::Loading;
        } else {
            self.finish(Err(Halt::Fenced));
        }
    }

    // ---- appending ----

    /// Sends `event` as the next row; from here on it is that row or none.
    pub(super) fn pin(&mut self, event: Event, plan: Plan<'_>) {
        if self.sabotage_defer(&event, plan) {
            return;
        }
        self.sabotage_remember_cursor(&event);
        self.stage = Stage::Appending(Pinned::new(event, self.state.next_sequence()));
    }

    fn appended(&mut self, pinned: Pinned, result: Result<(), StoreFailed>, plan: Plan<'_>) {
        if result.is_ok() {
            return self.acknowledged(&pinned, plan);
        }
        if let Some(pinned) = self.sabotage_append_error(pinned, plan) {
            self.stage = Stage::ReadingBack(pinned);
        }
    }

    fn read_back(
        &mut self,
        pinned: Pinned,
        log: Result<Vec<CheckpointRow>, StoreFailed>,
        plan: Plan<'_>,
    ) {
        let in_doubt = Some(pinned.row.sequence);
        let Ok(mut log) = log else {
            return self.suspend(in_doubt, plan);
        };
        if !self.rules.keeps(Rule::ReadBackSeesAll) {
            log.truncate(usize::try_from(pinned.row.sequence + 1).expect("a log fits into memory"));
        }
        match pinned.standing(&log, self.known) {
            Standing::Durable => self.acknowledged(&pinned, plan),
            Standing::Absent if self.sabotage_change_pinned(plan) => {}
            Standing::Absent if !self.rules.keeps(Rule::FenceNeedsARival) => self.fenced(plan),
            Standing::Absent if pinned.sends < plan.append_retry.sends_max => {
                self.stage = Stage::PausingBeforeResend(pinned, plan.append_retry.delay);
            }
            Standing::Absent => self.suspend(in_doubt, plan),
            Standing::Taken | Standing::Rewritten if !self.owner => self.lost_claim(),
            Standing::Overtaken | Standing::Taken | Standing::Rewritten => self.fenced(plan),
        }
    }

    /// The one place where a live run's state changes: its row is durable.
    pub(super) fn acknowledged(&mut self, pinned: &Pinned, plan: Plan<'_>) {
        self.known = self.known.extended(&pinned.row);
        if self.sabotage_applied_before(pinned) {
            return self.advance(plan);
        }
        if !self.rules.keeps(Rule::TerminalAbsorbs) && self.state.is_terminal() {
            let ended = self.state.ended().expect("a terminal state is an ending");
            return self.finish(Ok(ended));
        }
        let legal = self.state.apply(&self.sabotage_lived(&pinned.event));
        assert!(
            legal.is_ok(),
            "the engine appended an illegal event: {legal:?}"
        );
        if !self.owner {
            self.owner = true;
            if let Some(mismatch) = self.sabotage_late_mismatch(plan) {
                return self.finish(Err(Halt::Mismatch(mismatch)));
            }
        }
        self.advance(plan);
    }

    fn suspend(&mut self, in_doubt: Option<u64>, plan: Plan<'_>) {
        if self.may_turn_around() && !self.rules.keeps(Rule::StorageFaultSuspends) {
            let cause = Cause::new(CauseKind::Failure, "the store failed");
            return self.turn_around(cause, plan);
        }
        self.finish(Err(Halt::Suspended { in_doubt }));
    }

    fn fenced(&mut self, plan: Plan<'_>) {
        if !self.sabotage_undo_as_loser(plan) {
            self.finish(Err(Halt::Fenced));
        }
    }

    // ---- going on ----

    /// Asks for what the run needs next.
    pub(super) fn advance(&mut self, plan: Plan<'_>) {
        if self.sabotage_advance(plan) || self.sabotage_redo(plan) {
            return;
        }
        match decide(&self.state) {
            Decision::Begin => unreachable!("a life that advances has claimed"),
            Decision::Do(visit) => {
                let visit = self.sabotage_visit(visit, plan);
                let state = (plan.definition.resolve)(&visit.state);
                let state = state.expect("the state was checked before the claim");
                self.stage = Stage::Performing {
                    work: Work::Do { state, visit },
                    attempt: 1,
                };
                self.heed_cancellation(plan);
            }
            Decision::Undo(undo) => {
                let work = undo_work(&self.sabotage_undo(undo), plan);
                self.stage = Stage::Performing { work, attempt: 1 };
            }
            Decision::RecordRolledBack => self.pin(Event::RolledBack, plan),
            Decision::Nothing => {
                let ended = self
                    .state
                    .ended()
                    .expect("a run that needs nothing has ended");
                self.told(ended, plan);
            }
        }
    }

    /// The ending is durable: it may be told, after the log is cleared where that is asked for.
    pub(super) fn told(&mut self, ended: Ended, plan: Plan<'_>) {
        match plan.retention {
            Retention::ClearWhenDone if ended.is_terminal() => self.stage = Stage::Clearing(ended),
            Retention::Keep | Retention::ClearWhenDone => self.finish(Ok(ended)),
        }
    }

    pub(super) fn may_turn_around(&self) -> bool {
        self.owner && matches!(self.state.phase(), Phase::Forward(_))
    }

    fn heed_cancellation(&mut self, plan: Plan<'_>) {
        if self.cancel_requested && self.may_turn_around() && self.heeds_cancellation() {
            self.turn_around(Cause::new(CauseKind::Cancelled, ""), plan);
        }
    }

    /// Starts the rollback: from its row on nothing is done any more.
    pub(super) fn turn_around(&mut self, cause: Cause, plan: Plan<'_>) {
        let Phase::Forward(visit) = self.state.phase() else {
            unreachable!("only a run that goes forward turns around");
        };
        let state = (plan.definition.resolve)(&visit.state).expect("the open state is known");
        let task = plan
            .definition
            .task(state)
            .expect("the open state has a task");
        let event = Event::RollbackStarted {
            state: visit.state.clone(),
            task: task.name.clone(),
            cause,
            undo_open_visit: task.kind == TaskKind::Compensatable
                && self.rules.keeps(Rule::OpenVisitIsUndone),
        };
        self.sabotage_begin_deferring();
        self.pin(event, plan);
    }

    // ---- what came of an action ----

    fn performed(&mut self, work: Work, attempt: u32, performed: Performed, plan: Plan<'_>) {
        if self.sabotage_loser_performed(plan) || self.sabotage_redone(&work, plan) {
            return;
        }
        match work {
            Work::Do { state, visit } => self.done(state, visit, attempt, performed, plan),
            Work::Undo { state, undo } => self.undone(state, undo, attempt, performed, plan),
        }
    }

    fn done(
        &mut self,
        state: usize,
        visit: Visit,
        attempt: u32,
        performed: Performed,
        plan: Plan<'_>,
    ) {
        let task = plan
            .definition
            .task(state)
            .expect("a state that runs has a task");
        let name = task.name.clone();
        match (task.kind, performed) {
            (_, Performed::Completed { next, .. })
                if task
                    .edges
                    .as_ref()
                    .is_some_and(|edges| !edges.contains(&next)) =>
            {
                let next = &plan.definition.states[next].label;
                let message = format!("{name} went to {next}, which is not among its edges");
                self.turn_around(Cause::new(CauseKind::Failure, &message), plan);
            }
            (TaskKind::Plain | TaskKind::Stepped, Performed::Completed { next, output: None }) => {
                let state = plan.definition.states[next].label.clone();
                self.pin(Event::Entered { state, task: name }, plan);
            }
            (
                TaskKind::Compensatable,
                Performed::Completed {
                    next,
                    output: Some(output),
                },
            ) => {
                let state = plan.definition.states[next].label.clone();
                let state = self.sabotage_split_completion(state, &visit, &name);
                self.pin(
                    Event::Completed {
                        state,
                        task: name,
                        output,
                    },
                    plan,
                );
            }
            (TaskKind::Stepped, Performed::Stepped { cursor })
                if self.sabotage_step_on(state, &visit, &cursor) => {}
            (TaskKind::Stepped, Performed::Stepped { cursor }) => {
                let event = Event::StepAdvanced {
                    state: visit.state,
                    task: name,
                    cursor,
                };
                self.pin(event, plan);
            }
            (_, Performed::Failed(failure)) => {
                let retry = task.policy.retry;
                let work = Work::Do { state, visit };
                if let Some(failure) = self.retried(work, attempt, failure, retry) {
                    self.turn_around(failure.into_cause(), plan);
                } else {
                    self.heed_cancellation(plan);
                }
            }
            (_, Performed::Cancelled) => {
                self.turn_around(Cause::new(CauseKind::Cancelled, ""), plan);
            }
            (kind, performed) => panic!("a {kind:?} task can't come to {performed:?}"),
        }
    }

    fn undone(
        &mut self,
        state: usize,
        undo: Undo,
        attempt: u32,
        performed: Performed,
        plan: Plan<'_>,
    ) {
        let policy = plan
            .definition
            .task(state)
            .expect("an undo belongs to a task")
            .policy;
        match performed {
            Performed::Undone => {
                if self.sabotage_undo_again(state, &undo, attempt, policy.undo_retry.attempts) {
                    return;
                }
                let Undo { task, undone, .. } = self.sabotage_recorded(undo);
                self.pin(Event::Compensated { task, undone }, plan);
            }
            Performed::Failed(failure) => {
                let Undo { task, undone, .. } = self.sabotage_recorded(undo.clone());
                let work = Work::Undo { state, undo };
                if let Some(failure) = self.retried(work, attempt, failure, policy.undo_retry) {
                    let error = shortened(&failure.message);
                    self.pin(
                        Event::CompensationFailed {
                            task,
                            undone,
                            error,
                        },
                        plan,
                    );
                }
            }
            other => panic!("an undo can't come to {other:?}"),
        }
    }

    /// Prepares another attempt, or gives the failure back where there is none left.
    fn retried(
        &mut self,
        work: Work,
        attempt: u32,
        failure: Failure,
        policy: RetryPolicy,
    ) -> Option<Failure> {
        if failure.kind == FailureKind::Fatal || attempt >= policy.attempts {
            return Some(failure);
        }
        self.stage = Stage::PausingBeforeRetry {
            work,
            attempt,
            delay: policy.delay,
        };
        None
    }
}

/// The work that an undo amounts to.
pub(super) fn undo_work(undo: &Undo, plan: Plan<'_>) -> Work {
    let state = plan.definition.state_of_task(&undo.task);
    Work::Undo {
        state: state.expect("the task was checked before the claim"),
        undo: undo.clone(),
    }
}
