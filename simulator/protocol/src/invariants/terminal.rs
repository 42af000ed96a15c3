//! Nothing follows the ending.

use std::hash::Hash;

use crashpoint::Event;
use crashpoint::protocol::Rules;

use crate::invariants::Moment;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some(entry) = moment.happening.landed() else {
        return true;
    };
    let logs = &moment.model.logs;
    let run = match logs.event(entry.row) {
        Event::Claimed { claim, .. } => Some(claim.run_id.0[0]),
        _ => logs.facts(moment.before.log).run,
    };
    let history = moment.model.history(moment.before);
    run.is_none_or(|run| history.ending(run).is_none())
}
