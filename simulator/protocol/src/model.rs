//! The possible steps of the world: lives, a store with its faults, receivers of effects.
//!
//! The model of the store keeps rows by sequence and refuses a taken sequence, nothing else. A load
//! shows all durable rows. The [`Scope`] bounds its faults.

use std::hash::Hash;

use crashpoint::Retention;
use crashpoint::protocol::{Command, Rule, Rules};

use crate::intern::{Interner, Memory};
use crate::lives::{Ask, Lives};
use crate::logs::{Logs, Standing};
use crate::scope::{Replies, Scope};
use crate::world::{Answer, Deed, Entry, Ledger, LifeId, LogHistory, LogId, Slot, World};

/// A step. Lives are numbered from `0`.
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
    Receive {
        life: u8,
    },
    Return {
        life: u8,
    },
    /// The append in flight lands.
    Land,
    /// The append in flight never lands.
    Lose,
}

/// The outcome of a load or a clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    /// An error, without effect.
    Fails,
    /// An error, with effect.
    Unacknowledged,
}

/// The outcome of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppendFate {
    Acknowledged,
    /// The sequence is taken.
    Conflict,
    /// An error, but durable.
    Unacknowledged,
    /// An error, and not durable.
    Lost,
    /// An error, still in flight.
    Late,
}

/// The outcome of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PerformFate {
    Succeeds,
    FailsAfterEffect,
    FailsBeforeEffect,
    CancelledAfterEffect,
    CancelledBeforeEffect,
}

/// The part of a step that an invariant may be about.
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
    /// A life returned its outcome.
    Returned {
        life: u8,
    },
}

impl Happening {
    /// The row that became durable in this step, at once or late.
    pub(super) fn landed(self) -> Option<Entry> {
        match self {
            Self::Sent {
                entry,
                landed: true,
                ..
            }
            | Self::Landed { entry } => Some(entry),
            _ => None,
        }
    }
}

/// A possible next state, and the step to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Successor {
    pub(super) step: Step,
    pub(super) world: World,
    pub(super) happening: Happening,
    /// The life that received an answer.
    pub(super) received: Option<(u8, Answer)>,
}

/// The tables behind the numbers of a [`World`].
#[derive(Debug)]
pub(super) struct Model<R: Rules> {
    pub(super) scope: Scope,
    pub(super) lives: Lives<R>,
    pub(super) logs: Logs,
    pub(super) ledgers: Interner<Ledger>,
    pub(super) histories: Interner<LogHistory>,
    pub(super) effects: Memory<(u16, Deed, bool), u16>,
    pub(super) resumable: Memory<LogId, bool>,
}

impl<R: Rules + Copy + Eq + Hash> Model<R> {
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
        let history = model.histories.intern(LogHistory::default());
        assert_eq!((ledger.0, history.0), (0, 0), "what is empty is number 0");
        model
    }

    pub(super) fn ledger(&self, world: &World) -> &Ledger {
        self.ledgers.get(world.ledger.into())
    }

    pub(super) fn history(&self, world: &World) -> &LogHistory {
        self.histories.get(world.history.into())
    }

    /// Whether a single life that resumes from the world's log ends.
    pub(super) fn is_resumable(&self, log: LogId) -> bool {
        self.resumable.get(&log).expect("computed before")
    }

    /// The relation of `life` to the run, by the rows of the store.
    pub(super) fn standing(&self, world: &World, life: u8) -> Standing {
        match self.logs.standing(world.log, life) {
            Standing::Stranger if self.history(world).cleared => Standing::Overtaken,
            standing => standing,
        }
    }

    /// Every possible step from `world`.
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
            self.emit(Step::Begin { life, by_run }, after, Happening::Nothing, out);
        }
    }

    fn go_on(&mut self, world: &World, life: u8, out: &mut Vec<Successor>) {
        let slot = world.slots[usize::from(life)];
        let ask = self.lives.facts(slot.life).ask;
        if !(ask == Ask::Finish && matches!(self.lives.command(slot.life), Command::Finish(Err(_))))
        {
            let mut after = *world;
            after.slots[usize::from(life)] = Slot::GONE;
            self.emit(Step::Crash { life }, after, Happening::Nothing, out);
        }
        if world.budget.cancellations > 0 && !slot.cancelled && ask != Ask::Finish {
            self.cancel(world, life, out);
        }
        if slot.answer.is_some() {
            let mut after = *world;
            let received = self.receive(&mut after, life);
            self.emit_received(
                Step::Receive { life },
                after,
                Happening::Nothing,
                received,
                out,
            );
            return;
        }
        match ask {
            Ask::Load => self.load(world, life, out),
            Ask::Append(row) => self.append(world, life, Entry { row, author: life }, out),
            Ask::Pause => {
                let step = Step::Pause { life };
                self.answer(step, *world, Answer::Paused, Happening::Nothing, life, out);
            }
            Ask::Perform => self.perform(world, life, out),
            Ask::Clear => self.clear(world, life, out),
            Ask::Finish => self.return_outcome(world, life, out),
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
            // The life no longer waits for its answer.
            slot.answer = None;
        }
        self.emit(Step::Cancel { life }, after, Happening::Nothing, out);
    }

    // ---- results of steps ----

    fn receive(&mut self, after: &mut World, life: u8) -> Option<(u8, Answer)> {
        let slot = &mut after.slots[usize::from(life)];
        let answer = slot.answer.take()?;
        slot.life = self.lives.after_answer(slot.life, answer, &mut self.logs);
        if let Answer::Loaded(log) = answer
            && self.logs.standing(log, life) == Standing::Overtaken
        {
            // It has learnt of the takeover, and may not act any more.
            slot.spent = true;
        }
        Some((life, answer))
    }

    /// The command of `life` has taken effect. The life receives the answer now or later.
    pub(super) fn answer(
        &mut self,
        step: Step,
        mut after: World,
        answer: Answer,
        happening: Happening,
        life: u8,
        out: &mut Vec<Successor>,
    ) {
        after.slots[usize::from(life)].answer = Some(answer);
        // A pause has no effect, so its answer need not come later.
        let now = self.scope.replies == Replies::AtOnce || answer == Answer::Paused;
        let received = if now {
            self.receive(&mut after, life)
        } else {
            None
        };
        self.emit_received(step, after, happening, received, out);
    }

    pub(super) fn emit(
        &self,
        step: Step,
        after: World,
        happening: Happening,
        out: &mut Vec<Successor>,
    ) {
        self.emit_received(step, after, happening, None, out);
    }

    fn emit_received(
        &self,
        step: Step,
        mut after: World,
        happening: Happening,
        received: Option<(u8, Answer)>,
        out: &mut Vec<Successor>,
    ) {
        // If logs are never cleared, a taken sequence stays taken.
        let kept = self.scope.retention == Retention::Keep;
        if let Some(entry) = after.wire
            && kept
            && !self.logs.is_free(after.log, self.logs.sequence(entry.row))
        {
            after.wire = None;
        }
        out.push(Successor {
            step,
            world: after,
            happening,
            received,
        });
    }
}
