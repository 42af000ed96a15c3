//! A report has each listed run exactly once, and what it says of a run was true at an instant of the
//! operation.

use crate::operations::fleet::{Health, health};
use crate::operations::history::{Answer, Ending, Failed, What};
use crate::operations::operation::Operation;
use crate::operations::oracle::case::Call;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "reports-are-true",
    promise: "a report has each run exactly once, and says the truth about it",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for call in case.calls() {
        match call.answer {
            Answer::Recovered { ended, runs } => {
                let listed = case.listed(&call);
                let reported = runs.len() as u64 + ended;
                if reported != listed.len() as u64 {
                    let listed = listed.len();
                    return Err(format!(
                        "{listed} runs were listed, and {reported} reported"
                    ));
                }
                if let Some(id) = runs.keys().find(|id| !listed.contains(&id.as_str())) {
                    return Err(format!("the report has {id}, which was not listed"));
                }
                for id in listed {
                    match runs.get(id) {
                        None => is_ended(case, &call, id)?,
                        Some(Ok(ending)) => has_ended_so(case, &call, id, ending)?,
                        Some(Err(failed)) => has_failed_so(case, &call, id, failed)?,
                    }
                }
            }
            Answer::Purged {
                purged,
                kept,
                corrupt,
                failed,
            } => {
                counts_agree(case, &call, *purged, *kept, corrupt.len() + failed.len())?;
                failures_are_true(case, &call, corrupt, failed)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_ended<'a>(case: &Case<'a>, call: &Call<'_>, id: &'a str) -> Result<(), String> {
    let said = case.said_during(id, call);
    let is_readable = !health(id).is_bad();
    let ended = said.iter().any(|said| {
        let ending = said.ending.as_ref();
        said.rows == 0 || ending.is_some_and(Ending::is_terminal)
    });
    match is_readable && ended {
        true => Ok(()),
        false => Err(format!("the report counts {id} as ended, and it never was")),
    }
}

fn has_ended_so<'a>(
    case: &Case<'a>,
    call: &Call<'_>,
    id: &'a str,
    ending: &Ending,
) -> Result<(), String> {
    let said = case.said_during(id, call);
    match said.iter().any(|said| said.ending.as_ref() == Some(ending)) {
        true => Ok(()),
        false => Err(format!(
            "the report has {id} as {ending}, and its log never said so"
        )),
    }
}

fn has_failed_so(
    case: &Case<'_>,
    call: &Call<'_>,
    id: &str,
    failed: &Failed,
) -> Result<(), String> {
    let is_true = match failed.category {
        "corrupt_log" => health(id).is_corrupt(),
        "unknown_workflow" => health(id) == Health::Unknown,
        "checkpoint_store" => health(id) == Health::Damaged || case.met_a_fault(call, Some(id)),
        "mismatch" => health(id) == Health::Poisoned,
        "suspended" => case.met_a_fault(call, Some(id)),
        "fenced" => case.has_rival_rows(call.caller, id, call.from, call.to),
        "already_running" => case.has_neighbour(call, |operation| {
            operation == Operation::Recover || operation.lives() == Some(id)
        }),
        _ => false,
    };
    match is_true {
        true => Ok(()),
        false => Err(format!(
            "the report says without a reason: {}",
            failed.message
        )),
    }
}

fn counts_agree(
    case: &Case<'_>,
    call: &Call<'_>,
    purged: u64,
    kept: u64,
    failed: usize,
) -> Result<(), String> {
    let entries = case.entries()[call.from..call.to].iter();
    let cleared = entries
        .filter(|entry| entry.caller == call.caller && matches!(entry.what, What::Cleared(_)));
    let cleared = cleared.count() as u64;
    if purged > cleared {
        return Err(format!(
            "the purge reports {purged} cleared logs of {cleared}"
        ));
    }
    let listed = case.listed(call).len() as u64;
    let reported = purged + kept + failed as u64;
    match listed == reported {
        true => Ok(()),
        false => Err(format!(
            "{listed} runs were listed, and {reported} reported"
        )),
    }
}

/// Each bad run is named once, and no other run.
fn failures_are_true(
    case: &Case<'_>,
    call: &Call<'_>,
    corrupt: &[String],
    failed: &[String],
) -> Result<(), String> {
    for id in case.listed(call) {
        let is_bad = health(id).is_bad();
        let is_faulty = case.met_a_fault(call, Some(id));
        let was_hit = case.was_hit(call, Some(id));
        let is_kept = case.has_neighbour(call, |operation| {
            matches!(operation, Operation::Recover | Operation::Purge)
        });
        let named = |ids: &[String]| ids.iter().filter(|it| *it == id).count();
        let (corrupt, failed) = (named(corrupt), named(failed));
        if corrupt + failed > 1 || (corrupt > 0 && !is_bad) || (failed > 0 && !is_faulty) {
            return Err(format!(
                "the purge reports without a reason that {id} failed"
            ));
        }
        if corrupt + failed == 0 && (is_bad || was_hit) && !is_kept {
            return Err(format!("the purge does not name {id}, which failed"));
        }
    }
    Ok(())
}
