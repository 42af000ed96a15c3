//! The steps that the world can take: lives, a store with its faults, receivers of effects.
//!
//! The store's model: it keeps rows by sequence and refuses a sequence that is taken, nothing else. A
//! load shows all rows that are durable. What it may do wrong is in the [`Scope`].

use crashpoint_engine::protocol::{Command, Ended, Rule, Rules, Work};
use crashpoint_engine::{Event, Retention};

use crate::protocol::intern::{Interner, Memory};
use crate::protocol::invariants::{self, Invariant, Standing};
use crate::protocol::lives::{Ask, Lives};
use crate::protocol::logs::Logs;
use crate::protocol::scope::{Replies, Scope};
use crate::protocol::shape;
use crate::protocol::world::{
    Answer, Deed, Ending, Entry, History, Ledger, LifeId, LogId, Slot, World,
};

/// One step; lives are numbered from `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begin {
        life: u8,
        by_run: bool,
    },
    Crash {
        life: u8,
    },
    Cancel {
        life: u8,
    },
    Load {
        life: u8,
        fate: Fate,
    },
    Append {
        life: u8,
        fate: AppendFate,
    },
    Pause {
        life: u8,
    },
    Perform {
        life: u8,
        fate: PerformFate,
    },
    Clear {
        life: u8,
        fate: Fate,
    },
    Hear {
        life: u8,
    },
    Tell {
        life: u8,
    },
    /// The append in flight lands.
    Land,
    /// The append in flight never lands.
    Lose,
}

/// What becomes of a load or a clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    /// In vain, with an error.
    Fails,
    /// In effect, with an error.
    Unacknowledged,
}

/// What becomes of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendFate {
    Acknowledged,
    /// The sequence is taken.
    Conflict,
    /// Durable, with an error.
    Unacknowledged,
    /// In vain, with an error.
    Lost,
    /// In flight, with an error.
    Late,
}

/// What becomes of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PerformFate {
    Succeeds,
    FailsAfterEffect,
    FailsBeforeEffect,
    CancelledAfterEffect,
    CancelledBeforeEffect,
}

/// What a step did that an invariant may be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    Nothing,
    /// A life sent a row.
    Sent {
        life: u8,
        entry: Entry,
        landed: bool,
    },
    /// The append in flight landed.
    Landed {
        entry: Entry,
    },
    /// A life began an action.
    Acted {
        life: u8,
    },
    /// A life told its verdict.
    Told {
        life: u8,
    },
}

/// A state that can follow, and what is wrong with how it came about.
#[derive(Debug, Clone)]
pub(super) struct Successor {
    pub(super) step: Step,
    pub(super) world: World,
    pub(super) broken: Vec<Invariant>,
}

/// One step with what was before and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a, R> {
    pub(super) model: &'a Model<R>,
    pub(super) before: &'a World,
    pub(super) after: &'a World,
    pub(super) happening: Happening,
    /// The life that heard an answer.
    pub(super) heard: Option<(u8, Answer)>,
}

/// The tables behind the numbers of a [`World`].
#[derive(Debug)]
pub(super) struct Model<R> {
    pub(super) scope: Scope,
    pub(super) lives: Lives<R>,
    pub(super) logs: Logs,
    ledgers: Interner<Ledger>,
    histories: Interner<History>,
    effects: Memory<(u16, Deed, bool), u16>,
    resumable: Memory<LogId, bool>,
}

impl<R: Rules + Copy + Eq + std::hash::Hash> Model<R> {
    pub(super) fn new(scope: Scope, rules: R) -> Self {
        let mut model = Self {
            scope,
            lives: Lives::new(scope, rules),
            logs: Logs::new(),
            ledgers: Interner::new(),
            histories: Interner::new(),
            effects: Memory::new(),
            resumable: Memory::new(),
        };
        let ledger = model.ledgers.intern(Ledger::default());
        let history = model.histories.intern(History::default());
        assert_eq!((ledger.0, history.0), (0, 0), "what is empty is number 0");
        model
    }

    pub(super) fn ledger(&self, world: &World) -> &Ledger {
        self.ledgers.get(world.ledger.into())
    }

    pub(super) fn history(&self, world: &World) -> &History {
        self.histories.get(world.history.into())
    }

    /// Whether a lone life that resumes from the world's log comes to an ending.
    pub(super) fn is_resumable(&self, log: LogId) -> bool {
        self.resumable.get(&log).expect("looked into before")
    }

    /// Everything that can happen in `world`.
    pub(super) fn successors(&mut self, world: &World, out: &mut Vec<Successor>) {
        for life in 0..self.scope.lives {
            let number = u8::try_from(life).expect("few lives");
            let slot = &world.slots[life];
            if slot.life == LifeId::UNBORN {
                // Lives begin in the order of their numbers; any other order only renames them.
                self.begin(world, number, out);
                break;
            }
            if slot.life.is_alive() {
                self.go_on(world, number, out);
            }
        }
        self.settle_wire(world, out);
    }

    fn begin(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let clears = self.scope.retention == Retention::ClearWhenDone;
        let exclusive = clears && self.lives.rules().keeps(Rule::ClearNeedsExclusivity);
        if exclusive && world.slots.iter().any(|slot| slot.life.is_alive()) {
            return;
        }
        for by_run in [true, false] {
            if by_run && life > 0 && !clears || !by_run && life == 0 {
                continue;
            }
            let mut after = *world;
            after.slots[usize::from(life)].life = self.lives.born(life, by_run, &mut self.logs);
            self.emit(
                world,
                Step::Begin { life, by_run },
                after,
                Happening::Nothing,
                out,
            );
        }
    }

    fn go_on(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let slot = world.slots[usize::from(life)];
        let ask = self.lives.facts(slot.life).ask;
        if !(ask == Ask::Finish && matches!(self.lives.command(slot.life), Command::Finish(Err(_))))
        {
            let mut after = *world;
            after.slots[usize::from(life)] = Slot::GONE;
            self.emit(world, Step::Crash { life }, after, Happening::Nothing, out);
        }
        if world.budget.cancellations > 0 && !slot.cancelled && ask != Ask::Finish {
            self.cancel(world, life, out);
        }
        if slot.answer.is_some() {
            let mut after = *world;
            let heard = self.hear(&mut after, life);
            self.emit_heard(
                world,
                Step::Hear { life },
                after,
                Happening::Nothing,
                heard,
                out,
            );
            return;
        }
        match ask {
            Ask::Load => self.load(world, life, out),
            Ask::Append(row) => self.append(world, life, Entry { row, author: life }, out),
            Ask::Pause => {
                let step = Step::Pause { life };
                self.answer(
                    world,
                    step,
                    *world,
                    Answer::Paused,
                    Happening::Nothing,
                    life,
                    out,
                );
            }
            Ask::Perform => self.perform(world, life, out),
            Ask::Clear => self.clear(world, life, out),
            Ask::Finish => self.tell(world, life, out),
        }
    }

    fn cancel(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let mut after = *world;
        after.budget.cancellations -= 1;
        let slot = &mut after.slots[usize::from(life)];
        let asked = self.lives.facts(slot.life).ask;
        slot.life = self.lives.cancelled(slot.life, &mut self.logs);
        slot.cancelled = true;
        if self.lives.facts(slot.life).ask != asked {
            // The life no longer waits for what it had asked for.
            slot.answer = None;
        }
        self.emit(world, Step::Cancel { life }, after, Happening::Nothing, out);
    }

    fn load(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        if !self.is_settled(world) {
            return;
        }
        let mut emit = |fate, after, answer| {
            let step = Step::Load { life, fate };
            self.answer(world, step, after, answer, Happening::Nothing, life, out);
        };
        emit(Fate::Succeeds, *world, Answer::Loaded(world.log));
        if let Some(after) = with_store_error(world) {
            emit(Fate::Fails, after, Answer::LoadFailed);
        }
    }

    fn append(&mut self, world: &World, life: u8, entry: Entry, out: &mut Vec<Successor>) {
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
            self.answer(world, step, after, answer, happening, life, out);
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

    fn perform(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
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
        if invariants::standing(self, world, life) == Standing::Overtaken {
            begun.slots[usize::from(life)].spent = true;
        }
        let mut done = begun;
        done.ledger = self.effect(world.ledger, run, &work);
        let mut emit = |fate, after, answer| {
            let step = Step::Perform { life, fate };
            self.answer(
                world,
                step,
                after,
                answer,
                Happening::Acted { life },
                life,
                out,
            );
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

    /// The receivers' books after `work`. Steps of a stepped task are not kept: nothing undoes them.
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

    fn clear(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        if !self.is_settled(world) {
            return;
        }
        let mut cleared = *world;
        cleared.log = 0;
        self.remember(&mut cleared, |history| history.cleared = true);
        let mut emit = |fate, after| {
            let step = Step::Clear { life, fate };
            self.answer(
                world,
                step,
                after,
                Answer::Cleared,
                Happening::Nothing,
                life,
                out,
            );
        };
        emit(Fate::Succeeds, cleared);
        if let Some(after) = with_store_error(world) {
            emit(Fate::Fails, after);
        }
        if let Some(after) = with_store_error(&cleared) {
            emit(Fate::Unacknowledged, after);
        }
    }

    fn tell(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let slot = world.slots[usize::from(life)];
        let mut after = *world;
        after.slots[usize::from(life)] = Slot::GONE;
        if let Command::Finish(Ok(ended)) = self.lives.command(slot.life) {
            let run = self
                .lives
                .facts(slot.life)
                .run
                .expect("an ended run is known");
            let told = (run, ended.clone());
            self.remember(&mut after, |history| {
                if !history.told.contains(&told) {
                    history.told.push(told);
                }
            });
        }
        self.emit(
            world,
            Step::Tell { life },
            after,
            Happening::Told { life },
            out,
        );
    }

    // ---- the append in flight ----

    fn settle_wire(&mut self, world: &World, out: &mut Vec<Successor>) {
        let Some(entry) = world.wire else { return };
        if self.logs.is_free(world.log, self.logs.sequence(entry.row)) {
            let mut after = self.landed(world, entry);
            after.wire = None;
            self.emit(world, Step::Land, after, Happening::Landed { entry }, out);
        }
        if self.store_settles() {
            let mut after = *world;
            after.wire = None;
            self.emit(world, Step::Lose, after, Happening::Nothing, out);
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

    fn remember(&mut self, world: &mut World, change: impl FnOnce(&mut History)) {
        let mut history = self.history(world).clone();
        change(&mut history);
        let (number, _) = self.histories.intern(history);
        world.history = u16::try_from(number).expect("a scope has under 2^16 histories");
    }

    // ---- going on ----

    fn hear(&mut self, after: &mut World, life: u8) -> Option<(u8, Answer)> {
        let slot = &mut after.slots[usize::from(life)];
        let answer = slot.answer.take()?;
        slot.life = self.lives.heard(slot.life, answer, &mut self.logs);
        if let Answer::Loaded(log) = answer
            && invariants::standing_in(self, log, life) == Standing::Overtaken
        {
            // It has learnt of the takeover: it is entitled to nothing any more.
            slot.spent = true;
        }
        Some((life, answer))
    }

    /// The command of `life` has had its effect; it hears of it now or later.
    #[expect(clippy::too_many_arguments, reason = "a step and all that it did")]
    fn answer(
        &mut self,
        world: &World,
        step: Step,
        mut after: World,
        answer: Answer,
        happening: Happening,
        life: u8,
        out: &mut Vec<Successor>,
    ) {
        after.slots[usize::from(life)].answer = Some(answer);
        // A pause has no effect of its own, so there is nothing to be heard later.
        let now = self.scope.replies == Replies::AtOnce || answer == Answer::Paused;
        let heard = if now {
            self.hear(&mut after, life)
        } else {
            None
        };
        self.emit_heard(world, step, after, happening, heard, out);
    }

    fn emit(
        &mut self,
        before: &World,
        step: Step,
        after: World,
        happening: Happening,
        out: &mut Vec<Successor>,
    ) {
        self.emit_heard(before, step, after, happening, None, out);
    }

    fn emit_heard(
        &mut self,
        before: &World,
        step: Step,
        mut after: World,
        happening: Happening,
        heard: Option<(u8, Answer)>,
        out: &mut Vec<Successor>,
    ) {
        // Where logs are never cleared, a sequence that is taken stays taken.
        let kept = self.scope.retention == Retention::Keep;
        if let Some(entry) = after.wire
            && kept
            && !self.logs.is_free(after.log, self.logs.sequence(entry.row))
        {
            after.wire = None;
        }
        let broken = invariants::broken(&Moment {
            model: self,
            before,
            after: &after,
            happening,
            heard,
        });
        out.push(Successor {
            step,
            world: after,
            broken,
        });
    }
}

fn with_store_error(world: &World) -> Option<World> {
    let mut after = *world;
    after.budget.store_errors = world.budget.store_errors.checked_sub(1)?;
    Some(after)
}
