//! The user's invariants hold when the run has ended.
//!
//! The subject checks them, because only it knows the world; this oracle turns its answers into
//! verdicts. Invariants are not checked while the run is under way, or if it did not end.

use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "invariants",
    promise: "the invariants of the test hold when the run has ended",
    kind: Kind::Safety,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    match case.broken_invariants().first() {
        Some(broken) => Err(broken.to_string()),
        None => Ok(()),
    }
}
