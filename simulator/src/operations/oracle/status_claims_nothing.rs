//! A status, and a listing of unfinished runs, read logs. They append and clear nothing, and no task
//! acts.

use crate::operations::history::What;
use crate::operations::operation::Operation;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "status-claims-nothing",
    promise: "a status and a listing change nothing",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for entry in case.entries() {
        let acts = matches!(
            entry.what,
            What::Landed { .. } | What::Cleared(_) | What::Effect { .. }
        );
        let reads = case.began(entry.caller).is_some_and(|(_, operation)| {
            matches!(operation, Operation::Status(_) | Operation::Unfinished)
        });
        if acts && reads {
            return Err(format!("a status has an effect: {entry}"));
        }
    }
    Ok(())
}
