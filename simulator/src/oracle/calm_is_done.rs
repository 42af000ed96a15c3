//! A run in which nothing goes wrong is done.
//!
//! A workflow that always rolls back keeps every other promise by doing nothing: its test would show
//! nothing.

use crate::history::LifeEnd;
use crate::oracle::{Case, Kind, Oracle};
use crate::sim::OddEnding;

pub(super) const ORACLE: Oracle = Oracle {
    name: "calm-is-done",
    promise: "a run in which nothing goes wrong is done",
    kind: Kind::Safety,
    advice: Some(
        "mend the task that fails by itself: a workflow that is never done keeps every other promise by doing \
         nothing. CrashTest::may_never_be_done accepts such an ending",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let accepted = case.accepts(OddEnding::Calm);
    if accepted || case.history().faults().next().is_some() {
        return Ok(());
    }
    match case.history().outcome() {
        None | Some(LifeEnd::Done(_)) => Ok(()),
        Some(outcome) => Err(format!("the run is {outcome}{}", case.cause_of_rollback())),
    }
}
