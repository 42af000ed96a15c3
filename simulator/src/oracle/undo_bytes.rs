//! The payload of an undo's effect is the output in the completion row of its visit, or "in doubt"
//! without such a row.
//!
//! The workload's undos must pass on their input.

use crashpoint::{Direction, Event};

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "undo-bytes",
    promise: "an undo receives the durable output of its own visit",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if !case.workload().echoes {
        return Ok(());
    }
    for (place, life, effect) in case.history().effects() {
        if effect.direction != Direction::Undo {
            continue;
        }
        let Some(log) = case.log_at(place) else {
            continue;
        };
        let closing = log.visit(effect.visit).and_then(|visit| visit.closed_by);
        let durable = match closing.map(|row| &row.event) {
            Some(Event::Completed { output, .. }) => String::from_utf8_lossy(output).into_owned(),
            _ => "in doubt".to_owned(),
        };
        if effect.payload != durable {
            let (task, visit, got) = (&effect.task, effect.visit, &effect.payload);
            return Err(format!(
                "life {life} undid {task} of visit {visit} with {got}, but {durable} is durable"
            ));
        }
    }
    Ok(())
}
