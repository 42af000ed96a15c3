//! A step receives the last cursor of its visit, byte for byte. The first step of a visit receives
//! none, whatever earlier visits left.
//!
//! The workload's steps must pass on their cursor as the payload of their effect.

use crashpoint::{Direction, TaskKind};

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "cursor",
    promise: "a step receives the last durable cursor of its own visit",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if !case.workload().echoes {
        return Ok(());
    }
    for (place, life, effect) in case.history().effects() {
        let stepped = case.kind(life, &effect.task) == Some(TaskKind::Stepped);
        if !stepped || effect.direction == Direction::Undo {
            continue;
        }
        let Some(log) = case.log_at(place) else {
            continue;
        };
        let cursors = log.cursors(effect.visit);
        let durable = match effect.step.checked_sub(1) {
            None => Some("none".to_owned()),
            Some(last) => cursors
                .get(last as usize)
                .map(|(_, cursor)| String::from_utf8_lossy(cursor).into_owned()),
        };
        if durable.as_deref() != Some(&*effect.payload) {
            let (visit, step, got) = (effect.visit, effect.step, &effect.payload);
            let durable = durable.unwrap_or_else(|| "missing".to_owned());
            return Err(format!(
                "life {life}, visit {visit}, step {step} received cursor {got}, but {durable} is durable"
            ));
        }
    }
    Ok(())
}
