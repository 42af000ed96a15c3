//! No row follows a terminal row, no life that began after it sends any, and every returned outcome
//! agrees with it. A stuck run may be claimed again, but only by a retry.

use std::collections::BTreeMap;

use crashpoint::protocol::Definition;
use crashpoint::{Phase, RunState};

use crate::fault::{Fault, StoreFault};
use crate::history::{Entry, LifeEnd, Opening, What};
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "terminal-absorbs",
    promise: "an ended run gives the same answer for ever, and nothing is written to it",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        let mut state = RunState::new();
        for stored in &log.rows {
            let (life, row) = (stored.life, stored.row.sequence);
            if state.is_terminal() {
                return Err(format!(
                    "life {life} wrote row {row} after the terminal row"
                ));
            }
            if state.is_stuck() && case.opening(life) != Some(Opening::RetryStuck) {
                return Err(format!("life {life} claimed a stuck run without a retry"));
            }
            if state.apply(&stored.event).is_err() {
                // `prefixes-resume` reports an illegal log.
                break;
            }
        }
        let terminal = log.rows.last().filter(|_| state.is_terminal());
        let Some(terminal) = terminal else { continue };
        for (place, entry) in case.history().0.iter().enumerate() {
            if place < terminal.place || !log.contains(place) {
                continue;
            }
            match &entry.what {
                What::Sent(row) if resumed_after(case, entry.life, terminal.place) => {
                    let life = entry.life;
                    return Err(format!(
                        "life {life} sent row {} to an ended run",
                        row.sequence
                    ));
                }
                What::Returned(end)
                    if must_agree(case, entry, terminal.place)
                        && !agrees(case.definition(entry.life), end, &state) =>
                {
                    return Err(format!(
                        "life {} returned: {end}; the log says otherwise",
                        entry.life
                    ));
                }
                _ => {}
            }
        }
    }
    same_outcome(case)
}

/// Whether a life resumed after the log had ended. A life that starts sends its first claim without
/// loading the log, and a life with a stale load cannot know.
fn resumed_after(case: &Case<'_>, life: u32, terminal: usize) -> bool {
    let stale = case
        .history()
        .faults()
        .any(|fault| fault.1 == life && fault.2.fault == Fault::Store(StoreFault::StaleLoad));
    let resumed = matches!(case.opening(life), Some(Opening::Resume | Opening::Verify));
    resumed && !stale && case.began(life) > terminal
}

/// Whether an outcome returned after the terminal row must agree with it. A life may return late
/// that a run is stuck: before the terminal row it was.
fn must_agree(case: &Case<'_>, entry: &Entry, terminal: usize) -> bool {
    match &entry.what {
        What::Returned(LifeEnd::Stuck(_)) => resumed_after(case, entry.life, terminal),
        What::Returned(end) => end.is_outcome(),
        _ => false,
    }
}

fn agrees(definition: &Definition, end: &LifeEnd, state: &RunState) -> bool {
    match (end, state.phase()) {
        (LifeEnd::Done(answer), Phase::Done { state }) => same_state(definition, answer, state),
        (LifeEnd::RolledBack, Phase::RolledBack { .. }) => true,
        _ => false,
    }
}

/// Whether two labels name the same state of a release. It may read the label of an earlier release as an
/// alias.
fn same_state(definition: &Definition, one: &str, other: &str) -> bool {
    one == other || {
        let state = definition.state_of_label(one);
        state.is_some() && state == definition.state_of_label(other)
    }
}

/// Whether two lives returned the same outcome, as this release reads it.
fn same_ending(definition: &Definition, earlier: &LifeEnd, end: &LifeEnd) -> bool {
    match (earlier, end) {
        (LifeEnd::Done(one), LifeEnd::Done(other)) => same_state(definition, one, other),
        _ => earlier == end,
    }
}

/// Whether all outcomes returned for a log are equal. After a clear the same id begins another run,
/// which may end differently.
fn same_outcome(case: &Case<'_>) -> Result<(), String> {
    let mut first: BTreeMap<usize, (u32, &LifeEnd)> = BTreeMap::new();
    let answers = case.history().returned();
    for (place, life, end) in answers.filter(|(_, _, end)| end.is_terminal()) {
        let log = log_known_to(case, place, life);
        let (earlier, outcome) = *first.entry(log).or_insert((life, end));
        if !same_ending(case.definition(life), outcome, end)
            && !same_ending(case.definition(earlier), outcome, end)
        {
            return Err(format!(
                "life {earlier} returned: {outcome}; life {life} returned: {end}"
            ));
        }
    }
    Ok(())
}

/// The index of the log that a life knew when it returned at `place`. The life may have cleared it.
fn log_known_to(case: &Case<'_>, place: usize, life: u32) -> usize {
    let knows =
        |what: &What| matches!(what, What::Loaded(_) | What::Applied { .. } | What::Cleared);
    let before = &case.history().0[..place];
    let known = before
        .iter()
        .rposition(|entry| entry.life == life && knows(&entry.what));
    let known = known.unwrap_or(place);
    let log = case.logs().iter().position(|log| log.contains(known));
    log.unwrap_or_default()
}
