//! An undo begins only after the undos of everything later are durable, as successes or failures.

use crashpoint::Direction;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "undo-order",
    promise: "undos run in reverse order, each after the previous is settled",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, life, attempt) in case.history().started() {
        if attempt.direction != Direction::Undo {
            continue;
        }
        let Some(log) = case.log_at(place) else {
            continue;
        };
        for owed in log.owed().iter().filter(|owed| owed.visit > attempt.visit) {
            if owed.settled.first().is_none_or(|settled| *settled > place) {
                let (task, later) = (&attempt.task, &owed.task);
                return Err(format!(
                    "life {life} undid {task} before {later} was settled"
                ));
            }
        }
    }
    Ok(())
}
