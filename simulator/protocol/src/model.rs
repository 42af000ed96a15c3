//! The steps that the world can take: lives, a store with its faults, receivers of effects.
//!
//! The store's model: it keeps rows by sequence and refuses a sequence that is taken, nothing else. A
//! load shows all rows that are durable. What it may do wrong is in the [`Scope`].

use std::hash::Hash;

use crashpoint::Retention;
use crashpoint::protocol::{Command, Rule, Rules};

use crate::intern::{Interner, Memory};
use crate::lives::{Ask, Lives};
use crate::logs::{Logs, Standing};
use crate::scope::{Replies, Scope};
use crate::world::{Answer, Deed, Entry, Ledger, LifeId, LogHistory, LogId, Slot, World};

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
    Return {
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

/// A state that can follow, and how it comes about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Successor {
    pub(super) step: Step,
    pub(super) world: World,
    pub(super) happening: Happening,
    /// The life that heard an answer.
    pub(super) heard: Option<(u8, Answer)>,
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

    /// Whether a lone life that resumes from the world's log comes to an ending.
    pub(super) fn is_resumable(&self, log: LogId) -> bool {
        self.resumable.get(&log).expect("looked into before")
    }

    /// How `life` stands to the run, by the rows of the store.
    pub(super) fn standing(&self, world: &World, life: u8) -> Standing {
        match self.logs.standing(world.log, life) {
            Standing::Stranger if self.history(world).cleared => Standing::Overtaken,
            standing => standing,
        }
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
            let heard = self.hear(&mut after, life);
            self.emit_heard(Step::Hear { life }, after, Happening::Nothing, heard, out);
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
            // The life no longer waits for what it had asked for.
            slot.answer = None;
        }
        self.emit(Step::Cancel { life }, after, Happening::Nothing, out);
    }

    // ---- going on ----

    fn hear(&mut self, after: &mut World, life: u8) -> Option<(u8, Answer)> {
        let slot = &mut after.slots[usize::from(life)];
        let answer = slot.answer.take()?;
        slot.life = self.lives.heard(slot.life, answer, &mut self.logs);
        if let Answer::Loaded(log) = answer
            && self.logs.standing(log, life) == Standing::Overtaken
        {
            // It has learnt of the takeover: it is entitled to nothing any more.
            slot.spent = true;
        }
        Some((life, answer))
    }

    /// The command of `life` has had its effect; it hears of it now or later.
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
        // A pause has no effect of its own, so there is nothing to be heard later.
        let now = self.scope.replies == Replies::AtOnce || answer == Answer::Paused;
        let heard = if now {
            self.hear(&mut after, life)
        } else {
            None
        };
        self.emit_heard(step, after, happening, heard, out);
    }

    pub(super) fn emit(
        &self,
        step: Step,
        after: World,
        happening: Happening,
        out: &mut Vec<Successor>,
    ) {
        self.emit_heard(step, after, happening, None, out);
    }

    fn emit_heard(
        &self,
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
        out.push(Successor {
            step,
            world: after,
            happening,
            heard,
        });
    }
}
