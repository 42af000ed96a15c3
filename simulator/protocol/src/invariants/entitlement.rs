//! A life acts only after its claim, at most once after it was overtaken, and not at all once it
//! knows.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::invariants::{Moment, action};
use crate::logs::Standing;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((life, _)) = action(moment) else {
        return true;
    };
    match moment.model.standing(moment.before, life) {
        Standing::Owner => true,
        Standing::Overtaken => !moment.before.slots[usize::from(life)].spent,
        Standing::Stranger => false,
    }
}
