//! A fenced life has a rival: before it reported the fence, another life's row became durable at a
//! sequence that it wanted to write. A stale load can look the same to a life, so schedules with a
//! stale load are not checked.

use crate::fault::{Fault, StoreFault};
use crate::history::{LifeEnd, What};
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "no-false-fence",
    promise: "a life is fenced only by another life",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    if case
        .history()
        .faults()
        .any(|(_, _, fired)| fired.fault == Fault::Store(StoreFault::StaleLoad))
    {
        return Ok(());
    }
    for (returned, life, _) in case
        .history()
        .returned()
        .filter(|(.., end)| **end == LifeEnd::Fenced)
    {
        let sent = case.history().select(|what| match what {
            What::Sent(row) => Some(row.sequence),
            _ => None,
        });
        let lowest = sent
            .filter(|sent| sent.1 == life)
            .map(|sent| sent.2)
            .min()
            .unwrap_or(0);
        let rival = case
            .history()
            .landed()
            .any(|(place, other, row)| place < returned && other != life && row.sequence >= lowest);
        if !rival {
            return Err(format!("life {life} was fenced, but no other life wrote"));
        }
    }
    Ok(())
}
