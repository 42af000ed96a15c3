//! Every prefix of every log is legal and fits its definition, and no life was refused.
//!
//! Whether resuming a prefix also comes to a right end is what the exploration of crash points shows;
//! here only the log is read.

use crashpoint::{CheckpointRow, Event, RebuildError, RunState};

use crate::history::LifeEnd;
use crate::oracle::{Case, Kind, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "prefixes-resume",
    promise: "every prefix of a log can be resumed",
    kind: Kind::Safety,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (_, life, end) in case.history().returned() {
        if let LifeEnd::Refused(why) = end {
            return Err(format!("life {life}: {why}"));
        }
    }
    case.logs()
        .iter()
        .try_for_each(|log| every_prefix(case, log))
}

/// One fold goes through all prefixes: each is the one before and a row.
///
/// Whether a row fits depends on the rows of the visit that is open before it, and on the state that
/// the prefix amounts to. So each prefix is asked for its open visit and for what completed last; its
/// earlier visits and completions were asked for, row by row, when they were open or new.
fn every_prefix(case: &Case<'_>, log: &Log) -> Result<(), String> {
    let definition = &case.workload().definition;
    let rows: Vec<&CheckpointRow> = log.rows.iter().map(|stored| &*stored.row).collect();
    let mut state = RunState::new();
    let (mut opened, mut fitting) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        let sequence = row.sequence;
        let applied = state.apply_row(row);
        applied.map_err(|fault| RebuildError { sequence, fault }.to_string())?;
        // The row that leaves a visit is asked for with it, though it may enter another one.
        let fits = definition.check_on(&rows[opened..=at], &state, fitting);
        fits.map_err(|mismatch| mismatch.to_string())?;
        fitting = state.completed().len();
        if matches!(
            log.rows[at].event,
            Event::Entered { .. } | Event::Completed { .. }
        ) {
            opened = at;
        }
    }
    Ok(())
}
