//! Only a purge clears a log. It clears runs that have ended, that were claimed before its time, and
//! that have no life in its process.

use crashpoint::Event;

use crate::operations::history::{Ending, What};
use crate::operations::operation::Operation;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "purge-takes-ended-runs",
    promise: "a purge takes ended runs alone, old and without a life",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.entries().iter().enumerate() {
        let What::Cleared(id) = &entry.what else {
            continue;
        };
        let (caller, began) = (entry.caller, case.began(entry.caller));
        match began {
            Some((_, Operation::Purge)) => {}
            // Another oracle is for them.
            Some((_, Operation::RunAndClear(_))) => continue,
            _ => return Err(format!("the log of {id} was cleared, and not by a purge")),
        }
        let rows = case.log(id, place);
        if rows.is_empty() {
            // Another purge was faster.
            continue;
        }
        let claims = rows.iter().filter_map(|row| match Event::from_row(row) {
            Ok(Event::Claimed { claim, .. }) => Some(claim.unix_ms),
            _ => None,
        });
        if claims
            .max()
            .is_none_or(|newest| newest >= case.simulation.cutoff_unix_ms)
        {
            return Err(format!(
                "a purge took {id}, whose newest claim is too young"
            ));
        }
        let ending = Ending::of_rows(rows.into_iter());
        if !ending.as_ref().is_some_and(Ending::is_terminal) {
            return Err(format!("a purge took {id}, which has not ended"));
        }
        let is_held =
            |life: u8| case.share_a_process(caller, life) && case.is_active(life, place, place);
        if case.other_lives(caller, id).any(is_held) {
            return Err(format!("a purge took {id} from a life in its process"));
        }
    }
    Ok(())
}
