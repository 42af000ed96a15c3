//! Forward until the start of the rollback is durable, backward from then on.

use std::hash::Hash;

use crashpoint::Event;
use crashpoint::protocol::{Rules, Work};

use crate::invariants::{Moment, action, is_of_this_run};
use crate::logs::Standing;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((life, work)) = action(moment) else {
        return true;
    };
    if !is_of_this_run(moment, life) {
        return true;
    }
    let logs = &moment.model.logs;
    let mut rows = logs.entries(moment.before.log).iter();
    let turned = rows.any(|entry| matches!(logs.event(entry.row), Event::RollbackStarted { .. }));
    match work {
        Work::Do { .. } => {
            !turned || moment.model.standing(moment.before, life) == Standing::Overtaken
        }
        Work::Undo { .. } => turned,
    }
}
