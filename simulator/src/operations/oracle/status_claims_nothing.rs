//! A status reads the log. It appends and clears nothing, and no task acts.

use crate::operations::history::What;
use crate::operations::operation::Operation;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "status-claims-nothing",
    promise: "a status changes nothing",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for entry in case.entries() {
        let acts = matches!(
            entry.what,
            What::Landed { .. } | What::Cleared(_) | What::Effect { .. }
        );
        let began = case.began(entry.caller);
        if acts && began.is_some_and(|(_, operation)| matches!(operation, Operation::Status(_))) {
            return Err(format!("a status has an effect: {entry}"));
        }
    }
    Ok(())
}
