//! The user's invariants hold when the run has ended.
//!
//! The subject checks them, because only it knows the world; this oracle turns its answers into
//! verdicts. Invariants of the end are not checked if the run did not end; invariants of every instant are
//! events of the history.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "invariants",
    promise: "the invariants of the test hold, at every instant or when the run has ended",
    kind: Kind::Safety,
    advice: Some(
        "compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut broken = case.history().select(|what| match what {
        What::Broken { name, message } => Some((name, message)),
        _ => None,
    });
    if let Some((place, life, (name, message))) = broken.next() {
        let during = case.during(place);
        return Err(format!(
            "{name}: {message} (at an instant of life {life}{during})"
        ));
    }
    match case.broken_invariants().first() {
        Some(broken) => Err(broken.to_string()),
        None => Ok(()),
    }
}
