//! After every row the live state equals the state that the rows rebuild to.
//!
//! The observer compares them while the life runs. A subject that reports no applied rows is not
//! checked.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "fold-equality",
    promise: "the live state equals the state that the log rebuilds to",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (_, life, (sequence, mismatch)) in case.history().select(|what| match what {
        What::Applied { sequence, mismatch } => Some((sequence, mismatch)),
        _ => None,
    }) {
        if let Some(mismatch) = mismatch {
            return Err(format!(
                "life {life} differs after row {sequence}: {mismatch}"
            ));
        }
    }
    Ok(())
}
