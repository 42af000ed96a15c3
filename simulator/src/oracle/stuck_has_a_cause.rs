//! A run gets stuck only if the schedule made an undo fail.
//!
//! An undo that runs again after a crash, or that finds nothing to undo, must succeed. A jump of a clock
//! may end the time limit of an undo, so it counts as a cause too.

use crashpoint::{Direction, Event};

use crate::fault::Fault;
use crate::oracle::{Case, Kind, Oracle};
use crate::sim::OddEnding;

pub(super) const ORACLE: Oracle = Oracle {
    name: "stuck-has-a-cause",
    promise: "a run gets stuck only if an undo was made to fail",
    kind: Kind::Safety,
    advice: Some(
        "let the undo succeed when it runs again after a crash, and when it finds that nothing was done. \
         CrashTest::may_get_stuck accepts an undo that is refused for good",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if case.accepts(OddEnding::Stuck) {
        return Ok(());
    }
    let history = case.history();
    let mut faults = history.faults();
    if faults.any(|(.., fired)| matches!(fired.fault, Fault::Clock(_))) {
        return Ok(());
    }
    let rows = case.logs().iter().flat_map(|log| &log.rows);
    for row in rows {
        let Event::CompensationFailed { task, error, .. } = &row.event else {
            continue;
        };
        let mut failed = history.made_to_fail();
        if failed.any(|it| it.direction == Direction::Undo && *it.task == **task) {
            continue;
        }
        return Err(format!("the undo of {task} fails by itself: {error}"));
    }
    Ok(())
}
