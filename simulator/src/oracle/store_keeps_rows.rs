//! The store under test keeps its contract: it fails only if the schedule says so, and each load
//! and the final log show exactly the durable rows.
//!
//! Schedules with a stale load or a lost row are not checked. A row is durable if an append or a
//! later load said so. The row that a crash interrupts may be durable or not, but must then stay
//! so.

use crashpoint::CheckpointRow;

use crate::fault::{Fault, StoreFault};
use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "store-keeps-rows",
    promise: "a store shows every durable row and no other, whatever crashes",
    kind: Kind::Safety,
    advice: None,
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
                return Err(format!("the store failed without a fault: {message}"));
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
        Some(difference) => Err(format!("at the end the store {difference}")),
        None => Ok(()),
    }
}

/// The first difference between the loaded and the durable rows, in words.
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
                return Some(format!(
                    "shows a row {sequence} that differs from the durable row"
                ));
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
