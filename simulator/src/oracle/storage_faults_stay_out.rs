//! A rollback starts because an attempt failed or the run was cancelled, never because the store
//! failed. No undo begins before the start of the rollback is durable.

use crashpoint::{CauseKind, Direction, Event};

use crate::fault::Fault;
use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "storage-faults-stay-out",
    promise: "a store fault starts no rollback",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        let start = log.rows.iter().find_map(|stored| match &stored.event {
            Event::RollbackStarted { cause, .. } => Some((stored, cause)),
            _ => None,
        });
        if let Some((stored, cause)) = start {
            let reason = case.history().0[..stored.place]
                .iter()
                .any(|entry| match &entry.what {
                    What::Finished {
                        direction: Direction::Do,
                        succeeded: false,
                        ..
                    } => entry.life == stored.life && cause.kind != CauseKind::Cancelled,
                    // `polls-go-on` holds its clock against the deadline.
                    What::PollTimedOut { .. } => {
                        entry.life == stored.life && cause.kind == CauseKind::Timeout
                    }
                    What::Fault(fired) => {
                        fired.fault == Fault::Cancel && cause.kind == CauseKind::Cancelled
                    }
                    _ => false,
                });
            if !reason {
                return Err(format!(
                    "life {} started a rollback without a reason: {cause}",
                    stored.life
                ));
            }
        }
        let durable = start.map_or(usize::MAX, |(stored, _)| stored.place);
        let early = case.history().started().find(|(place, _, attempt)| {
            attempt.direction == Direction::Undo && log.contains(*place) && *place < durable
        });
        if let Some((_, life, attempt)) = early {
            let task = &attempt.task;
            return Err(format!(
                "life {life} undid {task} before the start of the rollback was durable"
            ));
        }
    }
    Ok(())
}
