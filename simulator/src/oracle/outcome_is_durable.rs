//! A returned outcome is in the log, leftovers included, or was when the life looked: a stuck run
//! can be claimed again in between, an ended run cannot.

use crashpoint::RunState;
use crashpoint::protocol::{Definition, Ended};

use crate::history::LifeEnd;
use crate::oracle::{Case, Kind, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "outcome-is-durable",
    promise: "an outcome is returned only after its row is durable",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, life, end) in case
        .history()
        .returned()
        .filter(|(.., end)| end.is_outcome())
    {
        // A log that was cleared before this place had ended before.
        let mut logs = case.logs().iter().filter(|log| log.began() < place);
        let definition = case.definition(life);
        if !logs.any(|log| was_so(definition, log, place, end)) {
            return Err(format!(
                "life {life} returned: {end}; the log did not say so"
            ));
        }
    }
    Ok(())
}

/// Whether the log said so at any time before this place of the history.
fn was_so(definition: &Definition, log: &Log, place: usize, end: &LifeEnd) -> bool {
    let mut state = RunState::new();
    for stored in log.rows.iter().take_while(|stored| stored.place < place) {
        if state.apply(&stored.event).is_err() {
            return false;
        }
        match (state.ended(), end) {
            (Some(Ended::Done { state }), LifeEnd::Done(answer))
                if is_one_state(definition, &state, answer) =>
            {
                return true;
            }
            (Some(Ended::RolledBack { .. }), LifeEnd::RolledBack) => return true,
            (Some(Ended::Stuck { failed, .. }), LifeEnd::Stuck(answer))
                if failed.iter().map(|failed| &*failed.undo.task).eq(answer) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether two labels name one state: a later release may have given it another label.
fn is_one_state(definition: &Definition, label: &str, other: &str) -> bool {
    let known = definition.state_of_label(label);
    label == other || known.is_some() && known == definition.state_of_label(other)
}
