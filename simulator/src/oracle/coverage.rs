//! A rollback settles every compensatable completion and the open visit of a compensatable task,
//! and nothing else.

use crashpoint::{Event, TaskKind};

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "coverage",
    promise: "a rollback undoes exactly what was done, and an open visit as in doubt",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        for stored in &log.rows {
            let Event::RollbackStarted {
                state,
                task,
                undo_open_visit,
                ..
            } = &stored.event
            else {
                continue;
            };
            let definition = case.definition(stored.life);
            let open = definition
                .state_of_label(state)
                .and_then(|state| definition.task(state));
            let compensatable = open.is_some_and(|open| open.kind == TaskKind::Compensatable);
            if compensatable != *undo_open_visit {
                return Err(format!(
                    "the open visit of {task} is left out of the rollback"
                ));
            }
        }
        let over = log
            .rows
            .iter()
            .any(|stored| stored.event == Event::RolledBack);
        let owed = log.owed();
        if let Some(left) = owed.iter().find(|owed| over && owed.compensated.is_none()) {
            return Err(format!("rolled back, but {} was never undone", left.task));
        }
        let settled: usize = owed.iter().map(|owed| owed.settled.len()).sum();
        let recorded = log.rows.iter().filter(|stored| {
            matches!(
                stored.event,
                Event::Compensated { .. } | Event::CompensationFailed { .. }
            )
        });
        if recorded.count() != settled {
            return Err("an undo is recorded that the rollback did not owe".to_owned());
        }
    }
    Ok(())
}
