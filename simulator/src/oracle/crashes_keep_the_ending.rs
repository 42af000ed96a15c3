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
    advice: Some(
        "a crash makes the task run again that it interrupted: let it end as it would have, whether or not its \
         work was done before. CrashTest::crashes_may_change_the_ending accepts a task that gives up on purpose",
    ),
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
            "the run is {outcome}{why}; without the crash it is {calm}"
        )),
        (LifeEnd::Done(_), LifeEnd::RolledBack) => Err(format!(
            "the run is {outcome}; without the crash it is {calm}"
        )),
        _ => Ok(()),
    }
}
