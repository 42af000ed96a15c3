//! What must hold at every step, one noun a file.
//!
//! Each is written against rows and effects, not against the machine's own idea of them, and each
//! says what it does not check. Lives are told apart by who *sent* a row, which no store knows.

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
    /// From every log a lone life comes to an ending when nothing goes wrong, and no life ever
    /// finds a log corrupt or of another definition. Not checked: lives that duel for ever.
    Resumption,
    /// What a life knows is what the rows that it knows amount to. Not checked: a life whose log was
    /// cleared.
    Fold,
    /// A row that is no claim was sent by the life of the last claim before it. Not checked: who
    /// clears.
    OneWriter,
    /// Nothing is done once the start of the rollback is durable, and nothing undone before. Not
    /// checked: the action that an overtaken life is entitled to.
    Direction,
    /// No row follows the one that ended the run, in this log or in a later one of the id. Not
    /// checked: `retry_stuck`, which no life of the exploration uses.
    Terminal,
    /// What is told is what the log says, and all are told the same. Not checked: that anything is
    /// told.
    Outcome,
    /// A visit whose exit is durable does not run again. Not checked: the action that an overtaken
    /// life is entitled to, and how often a visit runs before.
    ClosedVisit,
    /// A life acts only after its claim, at most once after it was overtaken, and not at all after
    /// it has loaded a log that says so. Not checked: attempts of one action; the tasks of the
    /// exploration have one.
    Entitlement,
    /// Done has each task's effect once, rolled back none, stuck no more than it says: for a receiver that
    /// honours idempotency keys, and as long as no life is overtaken alive for any other. Not
    /// checked: steps, which nothing undoes.
    AllOrNothing,
    /// A rollback starts because this life's task failed or this life was cancelled. Not checked:
    /// that a failure leads to a rollback.
    Cause,
    /// At one sequence a life sends one row. Not checked: what lives after it send there.
    PinnedRow,
    /// A step gets the last cursor of its visit that its life can know, and the number of them. Not
    /// checked: that the cursor makes sense to the task.
    Cursor,
    /// A life is fenced, or finds the id taken, only where another life wrote. Not checked: runs
    /// after a clear.
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

/// One step with what was before and after it.
#[derive(Debug, Clone, Copy)]
struct Moment<'a, R: Rules> {
    model: &'a Model<R>,
    before: &'a World,
    after: &'a World,
    happening: Happening,
    /// The life that heard an answer.
    heard: Option<(u8, Answer)>,
}

/// Those of the `checked` invariants that the step from `before` to its successor breaks.
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
        heard: successor.heard,
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

/// Whether the store's log, before this step, is one of the run that `life` works on.
fn is_of_this_run<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>, life: u8) -> bool {
    let machine = moment.before.slots[usize::from(life)].life;
    moment.model.logs.facts(moment.before.log).run == moment.model.lives.facts(machine).run
}
