//! No effect reaches the world while a router chooses.
//!
//! A router gets no context of its own, but it can be given that of another task. Where tasks run beside
//! each other, an effect at that time may be the other task's: these runs are not judged.

use crashpoint::TaskKind;

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "routers-do-nothing",
    promise: "a router has no effect",
    kind: Kind::Safety,
    advice: Some("move the effect into a task, before or after the router"),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if case.workload().lane.has_turns() {
        return Ok(());
    }
    for (place, life, effect) in case.history().effects() {
        let Some(attempt) = case.history().under_way(life, place) else {
            continue;
        };
        if case.kind(life, &attempt.task) == Some(TaskKind::Router) {
            return Err(format!(
                "life {life}: the router {} had the effect {:?}",
                attempt.task,
                effect.words()
            ));
        }
    }
    Ok(())
}
