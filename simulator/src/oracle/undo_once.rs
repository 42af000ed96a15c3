//! No life that has seen the record of a successful undo begins it again. In one life an undo is
//! attempted at most as often as its retry policy allows, or twice as often in a retry of a stuck
//! run.

use std::collections::BTreeMap;

use crashpoint::Direction;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "undo-once",
    promise: "a recorded undo never runs again",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut attempts: BTreeMap<_, u32> = BTreeMap::new();
    for (place, life, attempt) in case.history().started() {
        if attempt.direction != Direction::Undo {
            continue;
        }
        let (task, visit) = (&attempt.task, attempt.visit);
        let count = attempts.entry((life, visit)).or_default();
        *count += 1;
        if *count > case.undo_attempts(life, task) {
            return Err(format!(
                "life {life} undid {task} of visit {visit} {count} times in a row"
            ));
        }
        let Some(log) = case.log_at(place) else {
            continue;
        };
        let Some(owed) = log.owed().into_iter().find(|owed| owed.visit == visit) else {
            continue;
        };
        if let Some(record) = owed.compensated {
            let own = record.life == life && record.place < place;
            let loaded = log
                .claimed_at(life)
                .is_some_and(|claimed| record.place < claimed);
            if own || loaded {
                return Err(format!("life {life} undid {task} of visit {visit} again"));
            }
        }
    }
    Ok(())
}
