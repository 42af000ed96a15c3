//! The invariants of every step, one file for each.
//!
//! Each invariant is stated about rows and effects, not about the machine's own state, and each
//! says what it does not check. Lives are distinguished by the *sender* of a row, which no store
//! knows.

mod all_or_nothing;
mod cause;
mod closed_visit;
mod cursor;
mod direction;
mod entitlement;
mod fold;
mod legal_log;
mod one_writer;
mod outcome;
mod pinned_row;
mod resumption;
mod rival;
mod terminal;

use std::hash::Hash;

use crashpoint::protocol::{Rules, Work};

use crate::model::{Happening, Model, Successor};
use crate::world::{Answer, World};

/// What must hold at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// The store's log can be rebuilt. Not checked: that it says what happened.
    LegalLog,
    /// From every log a single life ends if nothing fails, and no life finds a log corrupt or of
    /// another definition. Not checked: lives that duel for ever.
    Resumption,
    /// The state of a life is what its known rows rebuild to. Not checked: a life whose log was
    /// cleared.
    Fold,
    /// A row other than a claim was sent by the life of the last claim before it. Not checked: who
    /// clears.
    OneWriter,
    /// No forward action begins after the start of the rollback is durable, and no undo before. Not
    /// checked: the one action that an overtaken life may begin.
    Direction,
    /// No row follows the row that ended the run, in this log or in a later log of the id. Not
    /// checked: `retry_stuck`, which no life of the exploration uses.
    Terminal,
    /// A returned outcome is in the log, and all returned outcomes are equal. Not checked: that any
    /// outcome is returned.
    Outcome,
    /// A visit whose exit is durable does not run again. Not checked: the one action that an
    /// overtaken life may begin, and how often a visit runs before.
    ClosedVisit,
    /// A life acts only after its claim, at most once after it was overtaken, and not at all after
    /// it has loaded a log that shows the takeover. Not checked: attempts of one action; the tasks
    /// of the exploration have one.
    Entitlement,
    /// A done run has the effect of each task once, a rolled back run none, a stuck run no more
    /// than it reports: for a receiver that honours idempotency keys, and as long as no living life
    /// is overtaken for any other. Not checked: steps, which nothing undoes.
    AllOrNothing,
    /// A rollback starts because this life's task failed or this life was cancelled. Not checked:
    /// that a failure leads to a rollback.
    Cause,
    /// A life sends one row for each sequence. Not checked: the rows of later lives at that
    /// sequence.
    PinnedRow,
    /// A step receives the last cursor of its visit that its life can know, and the number of
    /// cursors. Not checked: that the cursor makes sense to the task.
    Cursor,
    /// A life is fenced, or finds the id taken, only if another life wrote. Not checked: runs after
    /// a clear.
    Rival,
}

impl Invariant {
    /// Every invariant.
    pub const ALL: &'static [Self] = &[
        Self::LegalLog,
        Self::Resumption,
        Self::Fold,
        Self::OneWriter,
        Self::Direction,
        Self::Terminal,
        Self::Outcome,
        Self::ClosedVisit,
        Self::Entitlement,
        Self::AllOrNothing,
        Self::Cause,
        Self::PinnedRow,
        Self::Cursor,
        Self::Rival,
    ];

    fn holds<R: Rules + Copy + Eq + Hash>(self, moment: &Moment<'_, R>) -> bool {
        match self {
            Self::LegalLog => legal_log::holds(moment),
            Self::Resumption => resumption::holds(moment),
            Self::Fold => fold::holds(moment),
            Self::OneWriter => one_writer::holds(moment),
            Self::Direction => direction::holds(moment),
            Self::Terminal => terminal::holds(moment),
            Self::Outcome => outcome::holds(moment),
            Self::ClosedVisit => closed_visit::holds(moment),
            Self::Entitlement => entitlement::holds(moment),
            Self::AllOrNothing => all_or_nothing::holds(moment),
            Self::Cause => cause::holds(moment),
            Self::PinnedRow => pinned_row::holds(moment),
            Self::Cursor => cursor::holds(moment),
            Self::Rival => rival::holds(moment),
        }
    }
}

/// A step with the states before and after it.
#[derive(Debug, Clone, Copy)]
struct Moment<'a, R: Rules> {
    model: &'a Model<R>,
    before: &'a World,
    after: &'a World,
    happening: Happening,
    /// The life that received an answer.
    received: Option<(u8, Answer)>,
}

/// The `checked` invariants that the step from `before` to its successor breaks.
pub(super) fn broken<R: Rules + Copy + Eq + Hash>(
    checked: &[Invariant],
    model: &Model<R>,
    before: &World,
    successor: &Successor,
) -> Vec<Invariant> {
    let moment = Moment {
        model,
        before,
        after: &successor.world,
        happening: successor.happening,
        received: successor.received,
    };
    let checked = checked.iter().copied();
    checked
        .filter(|invariant| !invariant.holds(&moment))
        .collect()
}

/// The action that a life began at this step.
fn action<'a, R: Rules + Copy + Eq + Hash>(moment: &Moment<'a, R>) -> Option<(u8, &'a Work)> {
    let Happening::Acted { life } = moment.happening else {
        return None;
    };
    let machine = moment.before.slots[usize::from(life)].life;
    Some((life, moment.model.lives.work(machine)?))
}

/// Whether the store's log, before this step, belongs to the run of `life`.
fn is_of_this_run<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>, life: u8) -> bool {
    let machine = moment.before.slots[usize::from(life)].life;
    moment.model.logs.facts(moment.before.log).run == moment.model.lives.facts(machine).run
}
