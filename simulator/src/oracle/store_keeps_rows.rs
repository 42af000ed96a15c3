//! The store under test kept its word: it failed only where it was made to, each load showed the rows
//! that were durable and no others, and so does the log in the end.
//!
//! Schedules in which a load was made to lie, or a row to vanish, are not asked. What is durable is
//! what an append's answer or a later load said; a row that a crash caught in the middle may be
//! either, once.

use crashpoint::CheckpointRow;

use crate::fault::{Fault, StoreFault};
use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "store-keeps-rows",
    promise: "a store shows every durable row and no other, whatever crashes",
    kind: Kind::Safety,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut faults = case.history().faults();
    let lies = |fault| {
        matches!(
            fault,
            Fault::Store(StoreFault::StaleLoad) | Fault::Breach(_)
        )
    };
    if faults.any(|(_, _, fired)| lies(fired.fault)) {
        return Ok(());
    }
    let mut durable: Vec<&CheckpointRow> = Vec::new();
    for entry in &case.history().0 {
        match &entry.what {
            What::StoreFailed(message) => {
                return Err(format!("the store failed by itself: {message}"));
            }
            What::Landed(row) => {
                let after = durable.partition_point(|other| other.sequence < row.sequence);
                durable.insert(after, row);
            }
            What::Cleared => durable.clear(),
            What::Loaded(rows) => {
                let shown = rows.iter();
                let difference = first_difference(&durable, shown);
                if let Some(difference) = difference {
                    return Err(format!("a load of life {} {difference}", entry.life));
                }
            }
            _ => {}
        }
    }
    match first_difference(&durable, case.log_in_the_end().iter()) {
        Some(difference) => Err(format!("the store in the end {difference}")),
        None => Ok(()),
    }
}

/// In words how `shown` differs from what is durable.
fn first_difference<'a>(
    durable: &[&CheckpointRow],
    shown: impl Iterator<Item = &'a CheckpointRow>,
) -> Option<String> {
    let mut durable = durable.iter();
    for row in shown {
        let sequence = row.sequence;
        match durable.next() {
            Some(expected) if *expected == row => {}
            Some(expected) if expected.sequence == sequence => {
                return Some(format!("shows another row {sequence} than is durable"));
            }
            Some(expected) if expected.sequence < sequence => {
                return Some(format!("lacks the durable row {}", expected.sequence));
            }
            _ => return Some(format!("shows row {sequence}, which is not durable")),
        }
    }
    let lacking = durable.next()?.sequence;
    Some(format!("lacks the durable row {lacking}"))
}
