//! Nobody is fenced without a rival.

use std::hash::Hash;

use crashpoint::protocol::{Command, Halt, Rules};

use crate::invariants::Moment;
use crate::model::Happening;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Happening::Returned { life } = moment.happening else {
        return true;
    };
    let Moment { model, before, .. } = moment;
    let machine = before.slots[usize::from(life)].life;
    let fenced = matches!(
        model.lives.command(machine),
        Command::Finish(Err(Halt::Fenced | Halt::AlreadyExists))
    );
    if !fenced || model.history(before).cleared {
        return true;
    }
    let known = model.lives.facts(machine).next_sequence;
    let mut rows = model.logs.entries(before.log).iter();
    rows.any(|entry| entry.author != life && model.logs.sequence(entry.row) >= known)
}
