//! Within a visit, step n begins only after n cursors are durable, and a closed visit has run every
//! step. `visits-rerun` checks how often a step repeats.

use std::collections::BTreeSet;

use crashpoint::{Direction, Event, TaskKind};

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "step-order",
    promise: "steps leave no gap, and each begins only after the previous is durable",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let attempts = case.history().started().filter(|(_, life, attempt)| {
        let kind = case.kind(*life, &attempt.task);
        attempt.direction == Direction::Do && kind == Some(TaskKind::Stepped)
    });
    let steps: Vec<_> = attempts.collect();
    for log in case.logs() {
        for visit in log.visits() {
            let cursors = log.cursors(visit.id);
            let mut begun = BTreeSet::new();
            for &(place, life, attempt) in &steps {
                if attempt.visit != visit.id || !log.contains(place) {
                    continue;
                }
                begun.insert(attempt.step);
                let durable = cursors.iter().filter(|(landed, _)| *landed < place).count() as u64;
                if attempt.step > durable {
                    let step = attempt.step;
                    return Err(format!(
                        "life {life} began step {step} with {durable} cursors durable"
                    ));
                }
            }
            let left = visit
                .closed_by
                .is_some_and(|row| matches!(row.event, Event::Entered { .. }));
            if left && !begun.is_empty() && begun.len() as u64 != cursors.len() as u64 + 1 {
                let (ran, id) = (begun.len(), visit.id);
                return Err(format!(
                    "visit {id} ran {ran} steps and has {} cursors",
                    cursors.len()
                ));
            }
        }
    }
    Ok(())
}
