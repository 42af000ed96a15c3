//! Lives that break one rule of the protocol. The simulator's oracles must catch each.
//!
//! A [`Mutant`] wraps a faithful [`Life`] and breaks its rule from outside. `replies.rs` falsifies
//! what the life hears, `requests.rs` what it asks for, and `deferral.rs` holds back the rows of a
//! rollback. Between the two a mutant may steer the life with the life's own actions: pin a row,
//! turn around, end. No production code runs anything in this folder.

mod deferral;
mod replies;
mod requests;

use crate::core::atoms::{Bytes, Label};
use crate::core::claim::Nonce;
use crate::core::command::{Command, Halt, Reply, Work};
use crate::core::event::{Cause, CauseKind, Event};
use crate::core::life::{Life, Stage, undo_work};
use crate::core::life_options::{LifeOptions, Opening};
use crate::core::machine::{Machine, Wait};
use crate::core::pinned::{Pinned, Standing};
use crate::core::rules::{Rule, Rules};
use crate::core::run_state::{Phase, Rollback, RunState, Undo};

use deferral::Deferral;

/// Breaks one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Without(pub Rule);

impl Rules for Without {
    type Life = Mutant;

    fn begin(
        &self,
        opening: Opening,
        nonce: Nonce,
        unix_ms: u64,
        options: LifeOptions<'_>,
    ) -> Mutant {
        let nonce = match self.0 {
            Rule::ClaimsAreUnique => Nonce([0; 16]),
            _ => nonce,
        };
        let mut mutant = Mutant {
            broken: self.0,
            life: Life::new(opening, nonce, unix_ms, options),
            shown: None,
            entry: None,
            deferral: None,
            undos_as_loser: None,
            cursors: Vec::new(),
            redone: false,
            restarted: None,
            waited: false,
            recounted: false,
        };
        let before = Before {
            opening: false,
            rows: 0,
        };
        mutant.falsify_request(before, options);
        mutant
    }

    fn keeps(&self, rule: Rule) -> bool {
        rule != self.0
    }
}

/// A life that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mutant {
    broken: Rule,
    life: Life,
    /// The requested work, in place of the life's own.
    shown: Option<Work>,
    /// `CompletionIsOneRow`: the second row of a completion.
    entry: Option<Event>,
    /// `RollbackIsJournaled`: a rollback whose rows are held back.
    deferral: Option<Deferral>,
    /// `FencedStops`: the undos left to a fenced life, the next one last.
    undos_as_loser: Option<Vec<Undo>>,
    /// `CursorBelongsToVisit`: the newest cursor of each stepped state.
    cursors: Vec<(Label, Bytes)>,
    /// `RollbackIsFinal`: whether the visit that the rollback cut short was done again.
    redone: bool,
    /// `DeadlineIsOriginal`: the deadline that this life has set for itself.
    restarted: Option<u64>,
    /// `TimerReadsTheClock`: whether the life has waited for what was left.
    waited: bool,
    /// `RoundsAreKept`: whether the life has begun to count anew.
    recounted: bool,
}

/// The state of a mutant's life before a reply.
#[derive(Debug, Clone, Copy)]
struct Before {
    opening: bool,
    rows: u64,
}

impl Machine for Mutant {
    fn command(&self) -> Command<'_> {
        let command = match &self.deferral {
            Some(deferral) if !deferral.is_over() => deferral.command(),
            _ => self.life.command(),
        };
        match (command, &self.shown) {
            (Command::Perform { attempt, .. }, Some(work)) => Command::Perform { work, attempt },
            (command, _) => command,
        }
    }

    fn on(&mut self, reply: Reply, options: LifeOptions<'_>) {
        let before = Before {
            opening: self.life.is_opening(),
            rows: self.life.state().next_sequence(),
        };
        if let Some(reply) = self.falsified_reply(reply, options) {
            self.life.on(reply, options);
        }
        self.falsify_request(before, options);
    }

    fn cancel(&mut self, options: LifeOptions<'_>) {
        if self.broken == Rule::CancelIsHeeded {
            return;
        }
        self.life.cancel(options);
        if self.cancellation_drops_append() {
            let cause = Cause::new(CauseKind::Cancelled, "");
            self.life.start_rollback(cause, options);
        }
    }

    fn state(&self) -> &RunState {
        match &self.deferral {
            Some(deferral) => deferral.state(),
            None => self.life.state(),
        }
    }

    fn is_opening(&self) -> bool {
        self.life.is_opening()
    }

    fn cancellation_ends_pause(&self) -> bool {
        self.life.cancellation_ends_pause()
    }

    fn wait(&self) -> Option<Wait> {
        self.life.wait()
    }

    fn key_run_id(&self) -> Nonce {
        match self.broken {
            Rule::KeyNamesTheRun => Nonce([0; 16]),
            Rule::KeyOutlivesTheLife => {
                let header = self.state().header();
                header.expect("only a claimed run performs").claim.nonce
            }
            _ => self.life.key_run_id(),
        }
    }

    /// Unless the append already starts a rollback.
    fn cancellation_drops_append(&self) -> bool {
        self.broken == Rule::CancelWaitsForAppend
            && self.life.may_start_rollback()
            && matches!(
                &self.life.stage,
                Stage::Appending(Pinned { event, .. })
                    if !matches!(event, Event::RollbackStarted { .. })
            )
    }

    fn heeds_cancellation(&self) -> bool {
        self.broken != Rule::CancelIsHeeded
    }
}

impl Mutant {
    fn rollback(&self) -> Option<&Rollback> {
        match self.life.state.phase() {
            Phase::RollingBack(rollback) => Some(rollback),
            _ => None,
        }
    }

    /// The outcome of the row in flight according to `reply`, if a row is pinned and the reply has one.
    fn standing(&self, reply: &Reply) -> Option<Standing> {
        match (&self.life.stage, reply) {
            (Stage::Appending(_), Reply::Appended(Ok(()))) => Some(Standing::Durable),
            (Stage::ReadingBack(pinned), Reply::Loaded(Ok(log))) => {
                Some(pinned.standing(log, self.life.known))
            }
            _ => None,
        }
    }

    /// The undo that a fenced life performs next; there it stops at last.
    fn undo_as_loser(&mut self, options: LifeOptions<'_>) {
        let undos = self.undos_as_loser.as_mut();
        match undos.and_then(Vec::pop) {
            Some(undo) => {
                let work = undo_work(&undo, options);
                self.life.stage = Stage::Performing { work, attempt: 1 };
            }
            None => self.life.finish(Err(Halt::Fenced)),
        }
    }
}
