//! A life sends only one row for each sequence, however often.
//!
//! A claim that lost its race is sent again at a higher sequence, so it is not an exception.

use std::collections::BTreeMap;

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "pinned-row",
    promise: "a sent row is never replaced by another",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut sent = BTreeMap::new();
    let rows = case.history().select(|what| match what {
        What::Sent(row) => Some(row),
        _ => None,
    });
    for (_, life, row) in rows {
        let first = sent.entry((life, row.sequence)).or_insert(row);
        if *first != row {
            let (sequence, was, is) = (row.sequence, first.kind, row.kind);
            return Err(format!(
                "life {life} sent {was} and then {is} at sequence {sequence}"
            ));
        }
    }
    Ok(())
}
