//! After a claim only the life of that claim writes, until the next claim.

use std::hash::Hash;

use crashpoint::Event;
use crashpoint::protocol::Rules;

use crate::invariants::Moment;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some(entry) = moment.happening.landed() else {
        return true;
    };
    let logs = &moment.model.logs;
    if matches!(logs.event(entry.row), Event::Claimed { .. }) {
        return true;
    }
    let before = logs.entries(moment.before.log).iter().rev();
    let owner = before
        .filter(|row| logs.sequence(row.row) < logs.sequence(entry.row))
        .find(|row| matches!(logs.event(row.row), Event::Claimed { .. }));
    owner.is_some_and(|claim| claim.author == entry.author)
}
