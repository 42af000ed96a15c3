//! Where the resumptions of an upgrade test differ from the refusals that its author expects.

use crate::explore::{ResumedLogs, Resumptions};
use crate::sim::{PermittedRefusals, Release, Resumption};

/// The refusals that were not expected: those of open runs first, and those of the fewest faults.
pub(super) fn unexpected_refusals<'a>(
    expected: &PermittedRefusals,
    resumptions: &'a Resumptions,
) -> Vec<(&'a Resumption, &'a ResumedLogs)> {
    let refused = resumptions.0.iter();
    let mut refused: Vec<_> = refused.filter(|(it, _)| !expected.permit(it)).collect();
    refused.sort_by_key(|(it, logs)| {
        let has_ended = it.place.phase.is_terminal();
        (has_ended, logs.schedule.0.len())
    });
    refused
}

/// The states whose runs were expected to be refused, and never were.
pub(super) fn missing_refusals<'a>(
    expected: &'a PermittedRefusals,
    resumptions: &Resumptions,
) -> Vec<&'a str> {
    let refused = |state: &str| {
        let mut all = resumptions.0.keys();
        all.any(|it| it.by == Release::New && it.refused.is_some() && it.place.state == state)
    };
    let states = expected.states.iter().map(String::as_str);
    states.filter(|state| !refused(state)).collect()
}
