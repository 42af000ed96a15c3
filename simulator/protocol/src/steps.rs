//! The effect of a life's commands on the world: the store, the receivers of effects, the observer
//! outside.

use std::hash::Hash;

use crashpoint::protocol::{Command, Ended, Rule, Rules, Work};
use crashpoint::{Event, Retention};

use crate::logs::Standing;
use crate::model::{AppendFate, Fate, Happening, Model, PerformFate, Step, Successor};
use crate::shape;
use crate::world::{Answer, Deed, Ending, Entry, LogHistory, LogId, Slot, World};

impl<R: Rules + Copy + Eq + Hash> Model<R> {
    pub(super) fn load(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        if !self.is_settled(world) {
            return;
        }
        let mut emit = |fate, after, answer| {
            let step = Step::Load { life, fate };
            self.answer(step, after, answer, Happening::Nothing, life, out);
        };
        emit(Fate::Succeeds, *world, Answer::Loaded(world.log));
        if let Some(after) = with_store_error(world) {
            emit(Fate::Fails, after, Answer::LoadFailed);
        }
    }

    pub(super) fn append(
        &mut self,
        world: &World,
        life: u8,
        entry: Entry,
        out: &mut Vec<Successor>,
    ) {
        let free = self.logs.is_free(world.log, self.logs.sequence(entry.row));
        let landed = if free {
            self.landed(world, entry)
        } else {
            *world
        };
        let mut emit = |fate, mut after: World, answer, landed| {
            let slot = &mut after.slots[usize::from(life)];
            slot.sent = Some(entry.row);
            let step = Step::Append { life, fate };
            let happening = Happening::Sent {
                life,
                entry,
                landed,
            };
            self.answer(step, after, answer, happening, life, out);
        };
        if !free {
            emit(AppendFate::Conflict, *world, Answer::AppendFailed, false);
            return;
        }
        emit(AppendFate::Acknowledged, landed, Answer::Appended, true);
        if let Some(after) = with_store_error(&landed) {
            emit(
                AppendFate::Unacknowledged,
                after,
                Answer::AppendFailed,
                true,
            );
        }
        if let Some(after) = with_store_error(world) {
            emit(AppendFate::Lost, after, Answer::AppendFailed, false);
        }
        if world.budget.late_appends > 0 && world.wire.is_none() {
            let mut after = *world;
            after.budget.late_appends -= 1;
            after.wire = Some(entry);
            emit(AppendFate::Late, after, Answer::AppendFailed, false);
        }
    }

    pub(super) fn perform(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let slot = world.slots[usize::from(life)];
        let work = self
            .lives
            .work(slot.life)
            .expect("the life performs")
            .clone();
        let run = self
            .lives
            .facts(slot.life)
            .run
            .expect("a life that performs knows its run");
        let mut begun = *world;
        if self.standing(world, life) == Standing::Overtaken {
            begun.slots[usize::from(life)].spent = true;
        }
        let mut done = begun;
        done.ledger = self.effect(world.ledger, run, &work);
        let mut emit = |fate, after, answer| {
            let step = Step::Perform { life, fate };
            self.answer(step, after, answer, Happening::Acted { life }, life, out);
        };
        emit(PerformFate::Succeeds, done, Answer::Succeeded);
        let forward = matches!(work, Work::Do { .. });
        let failures = |budget: &mut World| match forward {
            true => budget
                .budget
                .task_failures
                .checked_sub(1)
                .map(|left| budget.budget.task_failures = left),
            false => budget
                .budget
                .undo_failures
                .checked_sub(1)
                .map(|left| budget.budget.undo_failures = left),
        };
        let mut before_effect = begun;
        if shape::may_fail(&work) && failures(&mut before_effect).is_some() {
            let mut after_effect = done;
            after_effect.budget = before_effect.budget;
            emit(
                PerformFate::FailsBeforeEffect,
                before_effect,
                Answer::Failed,
            );
            if forward && done.ledger != begun.ledger {
                emit(PerformFate::FailsAfterEffect, after_effect, Answer::Failed);
            }
        }
        if forward && slot.cancelled {
            emit(PerformFate::CancelledBeforeEffect, begun, Answer::Cancelled);
            if done.ledger != begun.ledger {
                emit(PerformFate::CancelledAfterEffect, done, Answer::Cancelled);
            }
        }
    }

    /// The receivers' ledger after `work`. Steps of a stepped task are not recorded, because
    /// nothing undoes them.
    fn effect(&mut self, ledger: u16, run: u8, work: &Work) -> u16 {
        let (deed, forward) = match work {
            Work::Do { state, visit } => (
                Deed {
                    run,
                    visit: visit.id,
                    state: *state,
                },
                true,
            ),
            Work::Undo { state, undo } => (
                Deed {
                    run,
                    visit: undo.visit,
                    state: *state,
                },
                false,
            ),
        };
        if !self.lives.is_compensatable(deed.state) {
            return ledger;
        }
        if let Some(after) = self.effects.get(&(ledger, deed, forward)) {
            return after;
        }
        let before = self.ledgers.get(ledger.into());
        let after = if forward {
            before.with_do(deed)
        } else {
            before.with_undo(deed)
        };
        let (after, _) = self.ledgers.intern(after);
        let after = u16::try_from(after).expect("a scope has under 2^16 ledgers");
        self.effects.insert((ledger, deed, forward), after);
        after
    }

    pub(super) fn clear(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        if !self.is_settled(world) {
            return;
        }
        let mut cleared = *world;
        cleared.log = 0;
        self.remember(&mut cleared, |history| history.cleared = true);
        let mut emit = |fate, after| {
            let step = Step::Clear { life, fate };
            self.answer(step, after, Answer::Cleared, Happening::Nothing, life, out);
        };
        emit(Fate::Succeeds, cleared);
        if let Some(after) = with_store_error(world) {
            emit(Fate::Fails, after);
        }
        if let Some(after) = with_store_error(&cleared) {
            emit(Fate::Unacknowledged, after);
        }
    }

    pub(super) fn return_outcome(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let slot = world.slots[usize::from(life)];
        let mut after = *world;
        after.slots[usize::from(life)] = Slot::GONE;
        if let Command::Finish(Ok(ended)) = self.lives.command(slot.life) {
            let run = self
                .lives
                .facts(slot.life)
                .run
                .expect("an ended run is known");
            let outcome = (run, ended.clone());
            self.remember(&mut after, |history| {
                if !history.returned.contains(&outcome) {
                    history.returned.push(outcome);
                }
            });
        }
        self.emit(
            Step::Return { life },
            after,
            Happening::Returned { life },
            out,
        );
    }

    // ---- the append in flight ----

    pub(super) fn settle_wire(&mut self, world: &World, out: &mut Vec<Successor>) {
        let Some(entry) = world.wire else { return };
        if self.logs.is_free(world.log, self.logs.sequence(entry.row)) {
            let mut after = self.landed(world, entry);
            after.wire = None;
            self.emit(Step::Land, after, Happening::Landed { entry }, out);
        }
        if self.store_settles() {
            let mut after = *world;
            after.wire = None;
            self.emit(Step::Lose, after, Happening::Nothing, out);
        }
    }

    /// Law CAN-08: a store that is held exclusively settles earlier appends before it loads or
    /// clears.
    fn is_settled(&self, world: &World) -> bool {
        world.wire.is_none() || !self.store_settles()
    }

    fn store_settles(&self) -> bool {
        self.scope.retention == Retention::ClearWhenDone
            && self.lives.rules().keeps(Rule::ClearNeedsExclusivity)
    }

    /// The world in which `entry` is durable.
    fn landed(&mut self, world: &World, entry: Entry) -> World {
        let mut after = *world;
        after.log = self.logs.with(world.log, entry);
        if self.logs.is_legal(after.log) && self.resumable.get(&after.log).is_none() {
            let resumes = self.lives.resumes(after.log, &self.logs);
            self.resumable.insert(after.log, resumes);
        }
        let taken_over = matches!(self.logs.event(entry.row), Event::Claimed { .. })
            && self.has_living_owner(world, entry.author);
        if taken_over && !self.history(world).takeover {
            self.remember(&mut after, |history| history.takeover = true);
        }
        if let Some(ending) = self.ending(after.log)
            && self.history(&after).ending(ending.run).is_none()
        {
            self.remember(&mut after, |history| history.endings.push(ending));
        }
        after
    }

    /// Whether a life other than this one has claimed and is alive.
    fn has_living_owner(&self, world: &World, life: u8) -> bool {
        self.logs.entries(world.log).iter().any(|entry| {
            entry.author != life
                && matches!(self.logs.event(entry.row), Event::Claimed { .. })
                && world.slots[usize::from(entry.author)].life.is_alive()
        })
    }

    fn ending(&self, log: LogId) -> Option<Ending> {
        let state = self.logs.rebuilt(log);
        let ended = state.ended()?;
        let run = state.header()?.run_id.0[0];
        let deed = |visit, task: &str| Deed {
            run,
            visit,
            state: self
                .lives
                .definition()
                .state_of_task(task)
                .expect("a known task"),
        };
        let leftovers = match &ended {
            Ended::Stuck { failed, .. } => failed
                .iter()
                .map(|failed| deed(failed.undo.visit, &failed.undo.task))
                .collect(),
            Ended::Done { .. } | Ended::RolledBack { .. } => Vec::new(),
        };
        Some(Ending {
            run,
            ended,
            leftovers,
        })
    }

    fn remember(&mut self, world: &mut World, change: impl FnOnce(&mut LogHistory)) {
        let mut history = self.history(world).clone();
        change(&mut history);
        let (number, _) = self.histories.intern(history);
        world.history = u16::try_from(number).expect("a scope has under 2^16 histories");
    }
}

fn with_store_error(world: &World) -> Option<World> {
    let mut after = *world;
    after.budget.store_errors = world.budget.store_errors.checked_sub(1)?;
    Some(after)
}
