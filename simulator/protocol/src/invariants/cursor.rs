//! A step gets the last durable cursor of its visit.

use std::hash::Hash;

use crashpoint::protocol::{Rules, Work};
use crashpoint::{Bytes, Event};

use crate::invariants::{Moment, action, is_of_this_run};

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((life, Work::Do { visit, .. })) = action(moment) else {
        return true;
    };
    if !is_of_this_run(moment, life) {
        return true;
    }
    let logs = &moment.model.logs;
    let machine = moment.before.slots[usize::from(life)].life;
    let known = moment.model.lives.facts(machine).next_sequence;
    let (mut last, mut cursors): (Option<&Bytes>, u64) = (None, 0);
    for entry in logs.entries(moment.before.log) {
        let sequence = logs.sequence(entry.row);
        if sequence > visit.id
            && sequence < known
            && let Event::StepAdvanced { cursor, .. } = logs.event(entry.row)
        {
            last = Some(cursor);
            cursors += 1;
        }
    }
    visit.cursor.as_ref() == last && visit.cursors == cursors
}
