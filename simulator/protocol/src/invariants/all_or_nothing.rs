//! A done run has the effect of each task once, a rolled back run none, a stuck run no more than it
//! reports.

use std::hash::Hash;

use crashpoint::protocol::{Ended, Rules};

use crate::invariants::Moment;
use crate::scope::Shape;
use crate::shape;
use crate::world::{Deed, Ending};

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Moment {
        model,
        after,
        before,
        ..
    } = moment;
    if (after.ledger, after.history) == (before.ledger, before.history) {
        return true;
    }
    let (ledger, history) = (model.ledger(after), model.history(after));
    let shape = model.scope.shape;
    history.endings.iter().all(|ending| {
        is_met(shape, ending, ledger.keyed(ending.run))
            && (history.takeover || is_met(shape, ending, ledger.plain(ending.run)))
    })
}

/// `in_effect` is ordered by visit.
fn is_met(shape: Shape, ending: &Ending, mut in_effect: impl Iterator<Item = Deed>) -> bool {
    match ending.ended {
        Ended::Done { .. } => in_effect
            .map(|deed| deed.state)
            .eq(shape::compensatable(shape)),
        Ended::RolledBack { .. } => in_effect.next().is_none(),
        Ended::Stuck { .. } => in_effect.all(|deed| ending.leftovers.contains(&deed)),
    }
}
