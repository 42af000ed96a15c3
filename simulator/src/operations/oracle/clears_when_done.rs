//! An engine that clears the log of a run when it is done clears no other log, and none before.

use crate::operations::history::{Ending, What};
use crate::operations::operation::Operation;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "clears-when-done",
    promise: "a life clears the log of its own run alone, when the run is done",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.entries().iter().enumerate() {
        let (What::Cleared(id), Some((_, Operation::RunAndClear(own)))) =
            (&entry.what, case.began(entry.caller))
        else {
            continue;
        };
        let rows = case.log(id, place);
        let ending = Ending::of_rows(rows.into_iter());
        if id != own || !ending.as_ref().is_some_and(Ending::is_terminal) {
            return Err(format!("{entry}, which has not ended or is not its own"));
        }
    }
    Ok(())
}
