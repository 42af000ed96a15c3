//! What a life does where it breaks a rule.
//!
//! Every hook that `life.rs` calls stands here, so that the machine reads as what it is. Under
//! [`Faithful`](crate::core::Faithful) rules each hook is a constant and disappears.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::core::claim::Nonce;
use crate::core::command::{Halt, Work};
use crate::core::definition::{Mismatch, TaskKind};
use crate::core::event::{Bytes, Cause, CauseKind, Event, Label, Undone};
use crate::core::life::{Life, Stage, undo_work};
use crate::core::pinned::Pinned;
use crate::core::plan::Plan;
use crate::core::rules::{Rule, Rules};
use crate::core::run_state::{Phase, Rollback, RunState, Undo, Visit};
use crate::recovery::CheckpointRow;

/// What a broken rule has to remember; empty in a faithful life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Sabotage {
    /// The second row of a completion.
    entry: Option<Event>,
    /// Rows of a rollback that were applied but not sent; none while rows are sent as they come.
    deferred: Option<VecDeque<(Event, CheckpointRow)>>,
    /// Undos that a fenced life performs, the next one last; none while it is not fenced.
    loser: Option<Vec<Undo>>,
    /// The newest cursor of each stepped state.
    cursors: Vec<(Label, Bytes)>,
    /// Whether what a rollback cut short was done again.
    redone: bool,
}

impl<R: Rules> Life<R> {
    /// The run id that idempotency keys are made of.
    pub(crate) fn key_run_id(&self) -> Nonce {
        let header = self.state.header().expect("only a claimed run performs");
        if !self.rules.keeps(Rule::KeyOutlivesTheLife) {
            header.claim.nonce
        } else if self.rules.keeps(Rule::KeyNamesTheRun) {
            header.run_id
        } else {
            Nonce([0; 16])
        }
    }

    // ---- Rule::CorruptionStops ----

    pub(super) fn sabotage_legal_prefix<'a>(
        &mut self,
        log: &'a [CheckpointRow],
    ) -> &'a [CheckpointRow] {
        self.state = RunState::new();
        let legal = log
            .iter()
            .take_while(|row| self.state.apply_row(row).is_ok())
            .count();
        &log[..legal]
    }

    // ---- Rule::MismatchBeforeClaim ----

    pub(super) fn sabotage_late_mismatch(&self, plan: Plan<'_>) -> Option<Mismatch> {
        if self.rules.keeps(Rule::MismatchBeforeClaim) {
            return None;
        }
        plan.definition
            .check::<CheckpointRow>(&[], &self.state)
            .err()
    }

    // ---- Rule::CursorBelongsToVisit ----

    pub(super) fn sabotage_remember_cursors(&mut self, log: &[CheckpointRow]) {
        if !self.rules.keeps(Rule::CursorBelongsToVisit) {
            for event in log.iter().filter_map(|row| Event::from_row(row).ok()) {
                self.sabotage_remember_cursor(&event);
            }
        }
    }

    pub(super) fn sabotage_remember_cursor(&mut self, event: &Event) {
        if self.rules.keeps(Rule::CursorBelongsToVisit) {
            return;
        }
        if let Event::StepAdvanced { state, cursor, .. } = event {
            self.sabotage.cursors.retain(|(known, _)| known != state);
            self.sabotage.cursors.push((state.clone(), cursor.clone()));
        }
    }

    pub(super) fn sabotage_visit(&self, visit: &Visit, plan: Plan<'_>) -> Visit {
        let mut visit = visit.clone();
        let task = (plan.definition.resolve)(&visit.state).and_then(|i| plan.definition.task(i));
        let stepped = task.is_some_and(|task| task.kind == TaskKind::Stepped);
        if stepped && visit.cursor.is_none() {
            let newest = self
                .sabotage
                .cursors
                .iter()
                .find(|(state, _)| *state == visit.state);
            visit.cursor = newest.map(|(_, cursor)| cursor.clone());
        }
        visit
    }

    // ---- Rule::CompletionIsOneRow ----

    /// The state that a completion row enters.
    pub(super) fn sabotage_split_completion(
        &mut self,
        next: Label,
        visit: &Visit,
        task: &Label,
    ) -> Label {
        if self.rules.keeps(Rule::CompletionIsOneRow) {
            return next;
        }
        self.sabotage.entry = Some(Event::Entered {
            state: next,
            task: task.clone(),
        });
        visit.state.clone()
    }

    // ---- Rule::RollbackIsJournaled ----

    pub(super) fn sabotage_begin_deferring(&mut self) {
        if !self.rules.keeps(Rule::RollbackIsJournaled) {
            self.sabotage.deferred = Some(VecDeque::new());
        }
    }

    /// Applies `event` without sending its row, where rows are deferred.
    pub(super) fn sabotage_defer(&mut self, event: &Event, plan: Plan<'_>) -> bool {
        let Some(deferred) = &mut self.sabotage.deferred else {
            return false;
        };
        deferred.push_back((event.clone(), event.to_row(self.state.next_sequence())));
        self.state.apply(event).expect("a deferred event is legal");
        self.advance(plan);
        true
    }

    pub(super) fn sabotage_applied_before(&mut self, pinned: &Pinned) -> bool {
        let Some(deferred) = &mut self.sabotage.deferred else {
            return false;
        };
        let (_, row) = deferred.pop_front().expect("a deferred row is under way");
        assert_eq!(row, pinned.row);
        if deferred.is_empty() {
            self.sabotage.deferred = None;
        }
        true
    }

    /// Sends what is left over before the run goes on or ends.
    pub(super) fn sabotage_advance(&mut self, plan: Plan<'_>) -> bool {
        if let Some(entry) = self.sabotage.entry.take() {
            self.pin(entry, plan);
            return true;
        }
        let Some(deferred) = &self.sabotage.deferred else {
            return false;
        };
        let Some((event, row)) = deferred.front().filter(|_| self.state.ended().is_some()) else {
            return false;
        };
        let pinned = Pinned {
            event: event.clone(),
            row: row.clone(),
            sends: 1,
        };
        self.stage = Stage::Appending(pinned);
        true
    }

    // ---- the rules about append errors ----

    /// Gives the row back where it is to be read back.
    pub(super) fn sabotage_append_error(
        &mut self,
        pinned: Pinned,
        plan: Plan<'_>,
    ) -> Option<Pinned> {
        if !self.rules.keeps(Rule::OutcomeAfterRow) {
            let mut after = self.state.clone();
            let applied = after.apply(&pinned.event);
            if let Some(ended) = applied.ok().and_then(|()| after.ended()) {
                self.told(ended, plan);
                return None;
            }
        }
        if !self.rules.keeps(Rule::AppendErrorIsNoTaskFailure) && self.may_turn_around() {
            self.turn_around(Cause::new(CauseKind::Failure, "the append failed"), plan);
            return None;
        }
        if !self.rules.keeps(Rule::ReadBackBeforeResend) {
            if pinned.sends > 1 {
                self.acknowledged(&pinned, plan);
            } else {
                self.stage = Stage::Appending(Pinned {
                    sends: pinned.sends + 1,
                    ..pinned
                });
            }
            return None;
        }
        Some(pinned)
    }

    pub(super) fn sabotage_change_pinned(&mut self, plan: Plan<'_>) -> bool {
        if self.rules.keeps(Rule::PinnedRowIsFinal) || !self.may_turn_around() {
            return false;
        }
        self.turn_around(Cause::new(CauseKind::Failure, "the append failed"), plan);
        true
    }

    // ---- Rule::FencedStops ----

    pub(super) fn sabotage_undo_as_loser(&mut self, plan: Plan<'_>) -> bool {
        if self.rules.keeps(Rule::FencedStops) || !self.may_turn_around() {
            return false;
        }
        let undos = self.state.completed().iter().map(Undo::completed).collect();
        self.sabotage.loser = Some(undos);
        self.sabotage_next_undo_as_loser(plan)
    }

    pub(super) fn sabotage_loser_performed(&mut self, plan: Plan<'_>) -> bool {
        self.sabotage.loser.is_some() && self.sabotage_next_undo_as_loser(plan)
    }

    fn sabotage_next_undo_as_loser(&mut self, plan: Plan<'_>) -> bool {
        let undo = self.sabotage.loser.as_mut().and_then(Vec::pop);
        self.stage = match undo {
            Some(undo) => Stage::Performing {
                work: undo_work(&undo, plan),
                attempt: 1,
            },
            None => Stage::Finished(Err(Halt::Fenced)),
        };
        true
    }

    // ---- the rules about undos ----

    /// What is undone where `due` is due.
    pub(super) fn sabotage_undo<'a>(&'a self, due: &'a Undo) -> Cow<'a, Undo> {
        let mut undo = Cow::Borrowed(due);
        if !self.rules.keeps(Rule::UndoInReverse)
            && let Some(first) = self.rollback().and_then(|it| it.pending.first())
        {
            undo = Cow::Borrowed(first);
        }
        if !self.rules.keeps(Rule::UndoGetsItsOutput) && undo.output.is_some() {
            let newest = self.state.completed().last();
            undo.to_mut().output = newest.map(|newest| newest.output.clone());
        }
        undo
    }

    /// What is recorded where `undo` was performed.
    pub(super) fn sabotage_recorded(&self, undo: Undo) -> Undo {
        if self.rules.keeps(Rule::UndoInReverse) {
            return undo;
        }
        let due = self.rollback().and_then(|it| it.pending.last());
        due.cloned().unwrap_or(undo)
    }

    pub(super) fn sabotage_undo_again(
        &mut self,
        state: usize,
        undo: &Undo,
        attempt: u32,
        allowed: u32,
    ) -> bool {
        if self.rules.keeps(Rule::UndoRunsOnce) || attempt > allowed {
            return false;
        }
        let undo = undo.clone();
        self.stage = Stage::Performing {
            work: Work::Undo { state, undo },
            attempt: attempt + 1,
        };
        true
    }

    fn rollback(&self) -> Option<&Rollback> {
        match self.state.phase() {
            Phase::RollingBack(rollback) => Some(rollback),
            _ => None,
        }
    }

    // ---- the rules about rollbacks ----

    /// Begins what the rollback cut short once more, before it is undone.
    pub(super) fn sabotage_redo(&mut self, plan: Plan<'_>) -> bool {
        if self.rules.keeps(Rule::RollbackIsFinal) || self.sabotage.redone {
            return false;
        }
        let open = self.rollback().and_then(|rollback| {
            let undo = rollback.pending.last()?;
            let visit = Visit {
                id: undo.visit,
                state: rollback.state.clone(),
                cursor: None,
                cursors: 0,
            };
            matches!(undo.undone, Undone::InDoubt(_)).then_some(visit)
        });
        let Some(visit) = open else {
            return false;
        };
        let state = (plan.definition.resolve)(&visit.state).expect("the state was checked");
        self.sabotage.redone = true;
        self.stage = Stage::Performing {
            work: Work::Do { state, visit },
            attempt: 1,
        };
        true
    }

    /// Forgets what came of it.
    pub(super) fn sabotage_redone(&mut self, work: &Work, plan: Plan<'_>) -> bool {
        let redone = self.sabotage.redone && matches!(work, Work::Do { .. });
        if redone {
            self.advance(plan);
        }
        redone
    }

    pub(super) fn sabotage_leave_rollback(&mut self) -> bool {
        if self.rules.keeps(Rule::RollbackResumes) || self.rollback().is_none() {
            return false;
        }
        self.stage = Stage::Finished(Err(Halt::Suspended { in_doubt: None }));
        true
    }

    // ---- Rule::StepWaitsForCursor ----

    /// Goes on with the next step without an append.
    pub(super) fn sabotage_step_on(&mut self, state: usize, visit: &Visit, cursor: &Bytes) -> bool {
        if self.rules.keeps(Rule::StepWaitsForCursor) || visit.cursors % 2 == 1 {
            return false;
        }
        let visit = Visit {
            cursor: Some(cursor.clone()),
            cursors: visit.cursors + 1,
            ..visit.clone()
        };
        self.stage = Stage::Performing {
            work: Work::Do { state, visit },
            attempt: 1,
        };
        true
    }

    // ---- Rule::CancelIsHeeded ----

    /// Whether a cancelled life begins nothing any more: always, where the rule is kept.
    pub(crate) fn heeds_cancellation(&self) -> bool {
        self.rules.keeps(Rule::CancelIsHeeded)
    }

    // ---- Rule::StateIsTheFold ----

    /// The event that the live state applies where this one is durable.
    pub(super) fn sabotage_lived<'a>(&self, durable: &'a Event) -> Cow<'a, Event> {
        let mut lived = Cow::Borrowed(durable);
        if !self.rules.keeps(Rule::StateIsTheFold)
            && let Event::Claimed { claim, .. } = lived.to_mut()
        {
            claim.unix_ms += 1;
        }
        lived
    }
}
