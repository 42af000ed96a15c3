//! An undo gets the output of its own visit.

use std::hash::Hash;

use crashpoint_engine::Undone;
use crashpoint_engine::protocol::{Rules, Work};

use crate::protocol::invariants::action;
use crate::protocol::model::Moment;
use crate::protocol::shape;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Some((_, Work::Undo { undo, .. })) = action(moment) else {
        return true;
    };
    let expected = match undo.undone {
        Undone::Completion(_) => Some(shape::output(undo.visit)),
        Undone::InDoubt(_) => None,
    };
    undo.output == expected
}
