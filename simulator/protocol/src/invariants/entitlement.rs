//! A life acts only after its claim, at most once after it was overtaken, and not at all once it
//! knows.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::invariants::{Standing, action, standing};
use crate::model::Moment;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((life, _)) = action(moment) else {
        return true;
    };
    match standing(moment.model, moment.before, life) {
        Standing::Owner => true,
        Standing::Overtaken => !moment.before.slots[usize::from(life)].spent,
        Standing::Stranger => false,
    }
}
