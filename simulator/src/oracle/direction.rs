//! After the start of a rollback is durable, no life that owns the run begins a forward action.

use crashpoint::{Direction, Event};

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "direction",
    promise: "no forward action begins after the start of a rollback",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        let started = |event: &Event| matches!(event, Event::RollbackStarted { .. });
        let Some(start) = log.rows.iter().find(|stored| started(&stored.event)) else {
            continue;
        };
        let late = case.history().started().find(|(place, life, attempt)| {
            *place > start.place
                && log.contains(*place)
                && attempt.direction == Direction::Do
                && !log.overtaken(*life, *place)
        });
        if let Some((_, life, attempt)) = late {
            let task = &attempt.task;
            return Err(format!(
                "life {life} began {task} after the start of the rollback"
            ));
        }
    }
    Ok(())
}
