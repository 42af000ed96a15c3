//! A rollback has a real cause, and never a store fault.

use std::hash::Hash;

use crashpoint::protocol::Rules;
use crashpoint::{CauseKind, Event};

use crate::invariants::Moment;
use crate::lives::Ask;
use crate::shape::DECLINED;
use crate::world::Answer;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Moment {
        model,
        before,
        after,
        ..
    } = moment;
    let slots = before.slots.iter().zip(&after.slots).enumerate();
    let mut changed = slots.filter(|(_, (old, new))| old.life != new.life && new.life.is_alive());
    changed.all(|(number, (old, new))| {
        let Ask::Append(row) = model.lives.facts(new.life).ask else {
            return true;
        };
        let asked_before =
            old.life.is_alive() && model.lives.facts(old.life).ask == Ask::Append(row);
        if asked_before || old.sent == Some(row) {
            return true;
        }
        let Event::RollbackStarted { cause, .. } = model.logs.event(row) else {
            return true;
        };
        match cause.kind {
            CauseKind::Cancelled => new.cancelled,
            _ => {
                let received = moment
                    .received
                    .filter(|(life, _)| usize::from(*life) == number);
                received.is_some_and(|(_, answer)| answer == Answer::Failed)
                    && *cause.message == *DECLINED
            }
        }
    })
}
