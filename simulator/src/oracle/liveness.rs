//! After the last fault the run ends, within a bounded number of rows.
//!
//! The bound is generous: it only catches endless runs.

use crate::history::{LifeEnd, Opening, Refusal, What};
use crate::oracle::{Case, Kind, Oracle};

/// More rows than any workload writes in all lives of a simulation.
const ROWS_MAX: usize = 400;

pub(super) const ORACLE: Oracle = Oracle {
    name: "liveness",
    promise: "the run ends once nothing fails",
    kind: Kind::Liveness,
    advice: Some(
        "let every life end: a task that waits for the memory or the lock of a dead life waits for ever",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let cleared = case
        .history()
        .0
        .iter()
        .any(|entry| entry.what == What::Cleared);
    let mut ended = 0;
    for (place, life, end) in case.history().returned() {
        if case.opening(life) != Some(Opening::Verify) {
            continue;
        }
        ended += 1;
        let gone = cleared && *end == LifeEnd::NotFound;
        // Another release had ended the run, in a state that the release of this life does not have.
        let elsewhere = case.workload().upgrade.is_some()
            && matches!(end, LifeEnd::Refused(Refusal::Mismatch(_)))
            && case.has_ended_before(place);
        if !end.is_outcome() && !gone && !elsewhere {
            return Err(format!(
                "life {life} met no fault but did not end the run: {end}"
            ));
        }
    }
    if ended == 0 {
        return Err("the run did not end after the last fault".to_owned());
    }
    let rows: usize = case.logs().iter().map(|log| log.rows.len()).sum();
    if rows > ROWS_MAX {
        Err(format!("the run needed {rows} rows"))
    } else {
        Ok(())
    }
}
