//! Rows become durable at 0, 1, 2, ... and every load shows them unchanged.
//!
//! A load may miss the newest rows here: a stale read is a store fault.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "log-is-dense",
    promise: "rows are dense from 0, and a row never changes",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        for (expected, stored) in log.rows.iter().enumerate() {
            if stored.row.sequence != expected as u64 {
                let found = stored.row.sequence;
                return Err(format!(
                    "row {found} became durable where row {expected} was due"
                ));
            }
        }
    }
    let loads = case.history().select(|what| match what {
        What::Loaded(rows) => Some(rows),
        _ => None,
    });
    for (place, life, rows) in loads {
        let Some(log) = case.log_at(place) else {
            continue;
        };
        for (row, stored) in rows.iter().zip(&log.rows) {
            if stored.place < place && *stored.row != *row {
                return Err(format!(
                    "life {life} loaded a different row {}",
                    row.sequence
                ));
            }
        }
        let durable = log
            .rows
            .iter()
            .filter(|stored| stored.place < place)
            .count();
        if rows.len() > durable {
            return Err(format!(
                "life {life} loaded row {durable}, which is not durable"
            ));
        }
    }
    Ok(())
}
