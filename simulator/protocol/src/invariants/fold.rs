//! A life's state is what its rows rebuild to.

use std::hash::Hash;

use crashpoint::protocol::Rules;

use crate::invariants::Moment;

pub(super) fn holds<R: Rules + Copy + Eq + Hash>(moment: &Moment<'_, R>) -> bool {
    let Moment { model, after, .. } = moment;
    let log = model.logs.facts(after.log);
    let mut alive = after.slots.iter().filter(|slot| slot.life.is_alive());
    alive.all(|slot| {
        let life = model.lives.facts(slot.life);
        let known = usize::try_from(life.next_sequence).expect("a short log");
        let cleared = life.run != log.run && model.history(after).cleared;
        cleared || log.beginnings.get(known) == Some(&life.run_state)
    })
}
