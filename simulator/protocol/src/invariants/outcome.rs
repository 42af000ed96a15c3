//! A returned outcome is in the log.

use std::hash::Hash;

use crashpoint::protocol::{Command, Rules};

use crate::invariants::Moment;
use crate::model::Happening;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Happening::Returned { life } = moment.happening else {
        return true;
    };
    let machine = moment.before.slots[usize::from(life)].life;
    let Command::Finish(Ok(ended)) = moment.model.lives.command(machine) else {
        return true;
    };
    let Some(run) = moment.model.lives.facts(machine).run else {
        return false;
    };
    let history = moment.model.history(moment.after);
    let durable = history
        .ending(run)
        .is_some_and(|ending| ending.ended == *ended);
    let outcomes = history.returned.iter().filter(|(of, _)| *of == run);
    durable && outcomes.count() == 1
}
