//! A run that is damaged, unknown, stuck or panicking stops no other run, in a recovery and in a purge.
//!
//! An operation on the whole fleet fails only if the listing does. After a recovery, each healthy
//! run that met no fault and that nobody else had is at its end.

use crate::operations::fleet::{Health, RUNS};
use crate::operations::history::{Answer, Ending, What};
use crate::operations::operation::Operation;
use crate::operations::oracle::case::Call;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-run-stops-another",
    promise: "the failure of a run stops no other run",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for entry in case.entries() {
        match &entry.what {
            What::Panicked(message) => return Err(format!("an operation panicked: {message}")),
            What::Hung => return Err("an operation hangs".to_owned()),
            _ => {}
        }
    }
    for call in case.calls() {
        if let Answer::Failed(failed) = call.answer
            && failed.category == "panicked"
        {
            return Err(format!("an operation panicked: {}", failed.message));
        }
        match call.operation {
            Operation::Recover => recovered(case, &call)?,
            Operation::Purge => purged(case, &call)?,
            _ => {}
        }
    }
    Ok(())
}

fn recovered(case: &Case<'_>, call: &Call<'_>) -> Result<(), String> {
    if let Answer::Failed(failed) = call.answer {
        return fails_by_the_listing(case, call, &failed.message);
    }
    for run in RUNS.iter().filter(|run| run.health == Health::Unfinished) {
        let is_left = case.other_lives(call.caller, run.id).next().is_some()
            || case.has_neighbour(call, |operation| operation == Operation::Recover)
            || case.has_rival_rows(call.caller, run.id, call.from, call.to)
            || case.met_a_fault(call, Some(run.id));
        let said = case.said_at(run.id, call.to);
        if !is_left && said.ending.as_ref().is_none_or(|it| *it == Ending::Open) {
            return Err(format!("a recovery answered, and {} has not ended", run.id));
        }
    }
    Ok(())
}

fn purged(case: &Case<'_>, call: &Call<'_>) -> Result<(), String> {
    if let Answer::Failed(failed) = call.answer {
        return fails_by_the_listing(case, call, &failed.message);
    }
    for run in RUNS.iter().filter(|run| run.health == Health::Ended) {
        let is_left = case.other_lives(call.caller, run.id).next().is_some()
            || case.has_neighbour(call, |operation| operation == Operation::Purge)
            || case.met_a_fault(call, Some(run.id));
        if !is_left && case.said_at(run.id, call.to).rows > 0 {
            return Err(format!(
                "a purge answered, and left the ended run {}",
                run.id
            ));
        }
    }
    Ok(())
}

fn fails_by_the_listing(case: &Case<'_>, call: &Call<'_>, message: &str) -> Result<(), String> {
    if case.met_a_fault(call, None) {
        return Ok(());
    }
    let operation = call.operation;
    Err(format!("{operation} failed as a whole: {message}"))
}
