//! After a takeover the older life writes no durable row and clears nothing. It begins at most one
//! more action, and none once it has seen the takeover.
//!
//! The one action may reach a receiver; `all-or-nothing` checks the consequences.

use std::collections::BTreeSet;

use crashpoint::Event;

use crate::history::What;
use crate::oracle::{Case, Kind, Log, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "one-writer",
    promise: "a life that was taken over writes nothing and begins at most one more action",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for log in case.logs() {
        let mut owner = None;
        for stored in &log.rows {
            match &stored.event {
                Event::Claimed { .. } => owner = Some(stored.life),
                _ if owner != Some(stored.life) => {
                    let (life, row) = (stored.life, stored.row.sequence);
                    return Err(format!(
                        "life {life} wrote row {row} after it was taken over"
                    ));
                }
                _ => {}
            }
        }
        for life in log.lives() {
            if let Some(overtaken) = log.overtaken_at(life) {
                check_overtaken(case, log, life, overtaken)?;
            }
        }
    }
    Ok(())
}

fn check_overtaken(case: &Case<'_>, log: &Log, life: u32, overtaken: usize) -> Result<(), String> {
    let mut seen = false;
    let mut actions = BTreeSet::new();
    for (place, entry) in case.history().0.iter().enumerate() {
        if place <= overtaken || place > log.until || entry.life != life {
            continue;
        }
        match &entry.what {
            What::Loaded(rows) => seen |= rows.len() > log.own_rows(life),
            What::Cleared => return Err(format!("life {life} cleared after it was taken over")),
            What::Started(attempt) => {
                let task = &attempt.task;
                if seen {
                    return Err(format!(
                        "life {life} began {task} although it saw the takeover"
                    ));
                }
                actions.insert((attempt.direction, attempt.visit, attempt.step));
                if actions.len() > 1 {
                    return Err(format!(
                        "life {life} began {task}, its second action since the takeover"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
