//! A life sends one row for each sequence.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::invariants::Moment;
use crate::model::Happening;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Happening::Sent { life, entry, .. } = moment.happening else {
        return true;
    };
    let logs = &moment.model.logs;
    moment.before.slots[usize::from(life)]
        .sent
        .is_none_or(|sent| sent == entry.row || logs.sequence(sent) != logs.sequence(entry.row))
}
