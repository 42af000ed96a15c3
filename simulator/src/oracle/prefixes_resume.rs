//! Every prefix of every log is legal and matches its definition, and no life was refused.
//!
//! The exploration of crash points shows that resuming a prefix ends correctly; this oracle only
//! reads the log.

use crashpoint::{CheckpointRow, RebuildError, RunState};

use crate::history::{LifeEnd, Refusal};
use crate::oracle::{Case, Kind, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "prefixes-resume",
    promise: "every prefix of a log can be resumed",
    kind: Kind::Safety,
    advice: Some(
        "create the same workflow in every life: states, tasks and types that depend on the life, the clock or the world make it refuse its own log; upgrade_test is for a new release",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (_, life, end) in case.history().returned() {
        let LifeEnd::Refused(why) = end else { continue };
        match (&case.workload().upgrade, why) {
            // A release may refuse what the other wrote. `liveness` checks that the other goes on.
            (Some(_), Refusal::Mismatch(_)) => {}
            _ => return Err(format!("life {life}: {why}")),
        }
    }
    case.logs()
        .iter()
        .try_for_each(|log| every_prefix(case, log))
}

/// Checks all prefixes in one fold: each adds a row to the previous prefix.
///
/// Whether a row fits depends on the rows of the open visit and on the state that the prefix
/// rebuilds to. So each prefix is checked for its open visit and its newest completion only;
/// earlier visits and completions were checked, row by row, when they were open or new.
fn every_prefix(case: &Case<'_>, log: &Log) -> Result<(), String> {
    let rows: Vec<&CheckpointRow> = log.rows.iter().map(|stored| &*stored.row).collect();
    let mut state = RunState::new();
    let (mut opened, mut fitting) = (0, 0);
    let mut release = None;
    for (at, row) in rows.iter().enumerate() {
        let sequence = row.sequence;
        let applied = state.apply_row(row);
        applied.map_err(|fault| RebuildError { sequence, fault }.to_string())?;
        let writer = log.rows[at].life;
        if release.replace(case.release(writer)) != Some(case.release(writer)) {
            // Nothing of the log is known to fit another release.
            (opened, fitting) = (0, 0);
        }
        let definition = case.definition(writer);
        // The row that leaves a visit is checked with it, though it may enter another visit.
        let fits = definition.check_on(&rows[opened..=at], &state, fitting);
        fits.map_err(|mismatch| mismatch.to_string())?;
        fitting = state.completed().len();
        if log.rows[at].event.entry().is_some() {
            opened = at;
        }
    }
    Ok(())
}
