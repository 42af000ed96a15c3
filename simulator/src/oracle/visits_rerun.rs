//! In one life a visit, or a step or a round of it, is attempted at most as often as its retry policy allows.
//! No life that owns the run attempts it after the row that closes it is durable.
//!
//! `one-writer` checks the one action that an overtaken life may still begin.

use std::collections::BTreeMap;

use crashpoint::Direction;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "visits-rerun",
    promise: "a visit runs again only after a crash or takeover, never once its exit is durable",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut attempts: BTreeMap<_, u32> = BTreeMap::new();
    for (place, life, attempt) in case.history().started() {
        if attempt.direction != Direction::Do {
            continue;
        }
        let action = (life, attempt.visit, attempt.step, attempt.round);
        let count = attempts.entry(action).or_default();
        *count += 1;
        let allowed = case.attempts(life, &attempt.task);
        if *count > allowed {
            let (task, visit) = (&attempt.task, attempt.visit);
            return Err(format!(
                "life {life} ran {task} of visit {visit} {count} times in a row"
            ));
        }
        let Some(log) = case.log_at(place) else {
            continue;
        };
        let closed = log.visit(attempt.visit).and_then(|visit| visit.closed_by);
        if closed.is_some_and(|row| row.place < place) && !log.overtaken(life, place) {
            let (task, visit) = (&attempt.task, attempt.visit);
            return Err(format!(
                "life {life} ran {task} again after visit {visit} was closed"
            ));
        }
    }
    Ok(())
}
