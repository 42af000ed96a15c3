//! Crashes alone do not decide whether a run is done or rolled back.
//!
//! A schedule whose faults are all crashes ends as the schedule without faults. A run that gets stuck is
//! the matter of another oracle, and one of several exits may be another exit: it is done.

use crate::fault::Schedule;
use crate::history::LifeEnd;
use crate::oracle::{Case, Kind, Oracle};
use crate::sim::OddEnding;

pub(super) const ORACLE: Oracle = Oracle {
    name: "crashes-keep-the-ending",
    promise: "a run that crashes is done or rolled back as it would be without the crash",
    kind: Kind::Safety,
    advice: Some("let a task that runs again succeed, whether or not its work was done before"),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if case.accepts(OddEnding::Crashed) {
        return Ok(());
    }
    let Schedule(faults) = Schedule::of(case.history());
    let crashes_alone = faults.iter().all(|fired| fired.fault.is_crash());
    if faults.is_empty() || !crashes_alone {
        return Ok(());
    }
    let (Some(outcome), Some(calm)) = (case.history().outcome(), case.workload().calm_ending())
    else {
        return Ok(());
    };
    let why = case.cause_of_rollback();
    match (outcome, calm) {
        (LifeEnd::RolledBack, LifeEnd::Done(_)) => Err(format!(
            "{outcome}{why}; without a crash the run is {calm}. A task that a crash interrupted runs again \
             and must then succeed, whether or not its work was done. If it gives up on purpose, say so by \
             CrashTest::crashes_may_change_the_ending"
        )),
        (LifeEnd::Done(_), LifeEnd::RolledBack) => Err(format!(
            "{outcome}; without a crash the run is {calm}. A task that fails must fail again when a crash \
             makes it run again, unless CrashTest::crashes_may_change_the_ending says otherwise"
        )),
        _ => Ok(()),
    }
}
