//! A completion closes a visit only after an attempt of its task succeeded.
//!
//! The oracle does not check what the task did, only that it ran.

use crashpoint::Direction;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-state-skipped",
    promise: "a state is left only after its task has run",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        for visit in log.visits() {
            let Some(closing) = visit.closed_by else {
                continue;
            };
            if closing.event.entry().is_none() {
                continue;
            }
            let mut ran = case.history().started().filter(|(place, _, attempt)| {
                *place < closing.place
                    && attempt.direction == Direction::Do
                    && attempt.visit == visit.id
            });
            if ran.next().is_none() {
                return Err(format!(
                    "visit {} of {} was left without a run",
                    visit.id, visit.state
                ));
            }
        }
    }
    Ok(())
}
