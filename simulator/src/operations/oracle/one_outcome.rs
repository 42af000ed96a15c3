//! A run has one outcome. Nobody begins it twice while its log is there, every life of it answers with
//! the ending in the log, and `run_or_resume` never answers that the run exists, or does not. A life is
//! fenced by another life alone, not by a copy of its own row.

use std::collections::BTreeMap;

use crashpoint::{Event, RowKind};

use crate::operations::history::{Answer, Ending, What};
use crate::operations::operation::Operation;
use crate::operations::oracle::case::Call;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "one-outcome",
    promise: "a run begins once and has one outcome, whoever runs or resumes it",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for call in case.calls() {
        let Some(id) = call.operation.lives() else {
            continue;
        };
        match call.answer {
            Answer::Outcome(ending) => is_in_the_log(case, &call, id, ending)?,
            Answer::Failed(failed) => {
                let runs = matches!(
                    call.operation,
                    Operation::RunOrResume(_) | Operation::RunAndClear(_)
                );
                if runs && matches!(failed.category, "already_exists" | "not_found") {
                    return Err(format!("run_or_resume answered: {}", failed.message));
                }
                let rival = case.has_rival_rows(call.caller, id, call.from, call.to);
                if failed.category == "fenced" && !rival {
                    return Err(format!("without another life: {}", failed.message));
                }
            }
            _ => {}
        }
    }
    begins_once(case)
}

fn is_in_the_log<'a>(
    case: &Case<'a>,
    call: &Call<'_>,
    id: &'a str,
    ending: &Ending,
) -> Result<(), String> {
    let said = case.said_during(id, call);
    let is_true = said.iter().any(|said| said.ending.as_ref() == Some(ending));
    match is_true {
        true => Ok(()),
        false => Err(format!("{id} ended as {ending}, and its log never said so")),
    }
}

/// No log begins while the id has one, and no id begins again unless the ended run was cleared.
fn begins_once(case: &Case<'_>) -> Result<(), String> {
    let mut ids: BTreeMap<&str, u64> = BTreeMap::new();
    for (place, entry) in case.entries().iter().enumerate() {
        let What::Landed { id, row } = &entry.what else {
            continue;
        };
        let first = row.kind == RowKind::Claim
            && matches!(Event::from_row(row), Ok(Event::Claimed { claim, .. }) if claim.input.is_some());
        if !first {
            continue;
        }
        let runs = ids.entry(id).or_insert_with(|| {
            // The earlier process may have begun it.
            u64::from(!case.log(id, 0).is_empty())
        });
        *runs += 1;
        let clears = case.entries()[..place].iter().filter(|entry| {
            let began = case.began(entry.caller);
            let may_clear = began.is_some_and(|(_, operation)| {
                matches!(operation, Operation::Purge | Operation::RunAndClear(_))
            });
            may_clear && matches!(&entry.what, What::Cleared(of) if of == id)
        });
        let clears = clears.count() as u64;
        if *runs > clears + 1 {
            return Err(format!(
                "{id} began {runs} times, and was cleared {clears} times"
            ));
        }
    }
    Ok(())
}
