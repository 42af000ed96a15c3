//! A listing of unfinished runs has each listed run that has not ended, with a status that was true at an
//! instant of the call, and no other run.

use crate::operations::fleet::health;
use crate::operations::history::{Answer, Ending, Failed};
use crate::operations::operation::Operation;
use crate::operations::oracle::case::Call;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "unfinished-is-true",
    promise: "a listing of unfinished runs has all of them and no other, and says the truth about each",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for call in case.calls() {
        if call.operation != Operation::Unfinished {
            continue;
        }
        let runs = match call.answer {
            Answer::Unfinished(runs) => runs,
            Answer::Failed(_) if case.met_a_fault(&call, None) => continue,
            other => return Err(format!("a listing of unfinished runs answered {other}")),
        };
        let listed = case.listed(&call);
        if let Some(id) = runs.keys().find(|id| !listed.contains(&id.as_str())) {
            return Err(format!("{id} is unfinished, and was not listed"));
        }
        for id in listed {
            let is_true = match runs.get(id) {
                None => may_be_left_out(case, &call, id),
                Some(Ok((rows, ending))) => was_so(case, &call, id, *rows, ending),
                Some(Err(failed)) => has_failed_so(case, &call, id, failed),
            };
            if !is_true {
                return Err(format!(
                    "what is said of {id} was never true: {}",
                    call.answer
                ));
            }
        }
    }
    Ok(())
}

/// Whether the run had ended, or had no log.
fn may_be_left_out<'a>(case: &Case<'a>, call: &Call<'_>, id: &'a str) -> bool {
    let said = case.said_during(id, call);
    let over = said.iter().any(|said| {
        let ending = said.ending.as_ref();
        said.rows == 0 || ending.is_some_and(Ending::is_terminal)
    });
    over && !health(id).is_bad()
}

fn was_so<'a>(case: &Case<'a>, call: &Call<'_>, id: &'a str, rows: u64, ending: &Ending) -> bool {
    let said = case.said_during(id, call);
    let same = |said: &crate::operations::oracle::case::Said| {
        said.rows as u64 == rows && said.ending.as_ref() == Some(ending)
    };
    !ending.is_terminal() && !health(id).is_bad() && said.iter().any(same)
}

fn has_failed_so(case: &Case<'_>, call: &Call<'_>, id: &str, failed: &Failed) -> bool {
    match failed.category {
        "corrupt_log" => health(id).is_corrupt(),
        "checkpoint_store" => health(id).is_bad() || case.met_a_fault(call, Some(id)),
        _ => false,
    }
}
