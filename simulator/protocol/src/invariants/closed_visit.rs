//! A visit whose exit is durable does not run again.

use std::hash::Hash;

use crashpoint::protocol::{Rules, Work};

use crate::invariants::{Moment, action, is_of_this_run};
use crate::logs::Standing;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((life, Work::Do { visit, .. })) = action(moment) else {
        return true;
    };
    if !is_of_this_run(moment, life) {
        return true;
    }
    let logs = &moment.model.logs;
    let mut rows = logs.entries(moment.before.log).iter();
    let closed = rows.any(|entry| {
        let leaves = logs.event(entry.row).entry().is_some();
        leaves && logs.sequence(entry.row) > visit.id
    });
    !closed || moment.model.standing(moment.before, life) == Standing::Overtaken
}
