//! After the last fault the run ends within the lives and the virtual time that the test allows.
//!
//! A test that allows nothing in particular is not asked here: `liveness` asks whether the run ends at all.

use crate::oracle::{Case, Kind, Oracle};
use crate::sim::Deadline;

pub(super) const ORACLE: Oracle = Oracle {
    name: "ends-in-time",
    promise: "after the last fault the run ends within the lives and the time that the test allows",
    kind: Kind::Liveness,
    advice: Some("shorten what the run waits for, or allow more by CrashTest::ends_within"),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let Some(Deadline { lives, time }) = case.workload().deadline else {
        return Ok(());
    };
    // A run that does not end is the matter of another oracle.
    let Some(took) = case.took_after_faults() else {
        return Ok(());
    };
    if took.lives > lives {
        return Err(format!(
            "lives after the last fault: {}; the test allows {lives}",
            took.lives
        ));
    }
    if took.time > time {
        return Err(format!(
            "virtual time after the last fault: {:?}; the test allows {time:?}",
            took.time
        ));
    }
    Ok(())
}
