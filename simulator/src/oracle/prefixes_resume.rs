//! Every prefix of every log is legal and fits its definition, and no life was refused, panicked or
//! hung.
//!
//! Whether resuming a prefix also comes to a right end is what the exploration of crash points shows;
//! here only the log is read.

use crashpoint::{CheckpointRow, Direction, Event, RebuildError, RunState};

use crate::history::{ENDLESS, Entry, LifeEnd, SPINNING, What};
use crate::oracle::{Case, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "prefixes-resume",
    promise: "every prefix of a log can be resumed",
    check,
};

/// Which attempt is under way, in words, after these entries.
fn during(history: &[Entry]) -> String {
    let mut entries = history.iter().rev();
    let attempt = entries.find_map(|entry| match &entry.what {
        What::Started(attempt) => Some(Some(attempt)),
        What::Finished { .. } | What::Began(_) => Some(None),
        _ => None,
    });
    match attempt.flatten() {
        Some(attempt) if attempt.direction == Direction::Undo => {
            format!(" in the undo of {}", attempt.task)
        }
        Some(attempt) => format!(" in {}", attempt.task),
        None => String::new(),
    }
}

/// What may be done about a panic of which more is known.
fn hint(message: &str) -> &'static str {
    if message.contains(OUTSIDE_OF_TOKIO) {
        "; there is no runtime of tokio's in this simulation: CrashTest::tokio, of the feature \"tokio\", \
         brings one"
    } else {
        ""
    }
}

/// What tokio's time and tasks panic with outside of a runtime of theirs.
const OUTSIDE_OF_TOKIO: &str = "there is no reactor running";

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.history().0.iter().enumerate() {
        let life = entry.life;
        let during = || during(&case.history().0[..place]);
        match &entry.what {
            What::Told(LifeEnd::Refused(why)) => return Err(format!("life {life}: {why}")),
            What::Panicked(message) if message == ENDLESS => {
                return Err(format!(
                    "life {life} goes in circles{}: it was stopped",
                    during()
                ));
            }
            What::Panicked(message) if message == SPINNING => {
                return Err(format!(
                    "life {life} goes in circles{}: {SPINNING}; where it yields until something comes, \
                     no time passes until then",
                    during()
                ));
            }
            What::Panicked(message) => {
                let (during, hint) = (during(), hint(message));
                return Err(format!("life {life} panicked{during}: {message}{hint}"));
            }
            What::Stalled => {
                return Err(format!(
                    "a life waits for what never comes{}: nothing in the simulation is left that \
                     could wake it, and nothing outside of it, such as a thread, is waited for",
                    during()
                ));
            }
            _ => {}
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
