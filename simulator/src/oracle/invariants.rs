//! What a user says of world and outcome holds when the run has ended.
//!
//! The subject asks, since it alone knows the world; here its answer is a verdict. Nothing is asked
//! while the run is under way, and nothing of a run that did not end.

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "invariants",
    promise: "what the test says of the world and the outcome holds in the end",
    kind: Kind::Safety,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    match case.broken_invariants().first() {
        Some(broken) => Err(broken.to_string()),
        None => Ok(()),
    }
}
