//! The store's log can be rebuilt.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::invariants::Moment;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    moment.model.logs.is_legal(moment.after.log)
}
