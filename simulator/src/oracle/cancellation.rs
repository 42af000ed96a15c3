//! A life whose run is cancelled begins no forward action.
//!
//! Work in progress may finish: a completion that is already pinned counts, an exit entry included.
//! The rollback oracles check how a cancelled run ends.

use crashpoint::Direction;

use crate::fault::Fault;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "cancellation",
    promise: "a cancelled life begins nothing but undos",
    kind: Kind::Safety,
    advice: None,
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (cancelled, life, _) in case
        .history()
        .faults()
        .filter(|(_, _, fired)| fired.fault == Fault::Cancel)
    {
        let begun = case.history().started().find(|(place, other, attempt)| {
            *place > cancelled && *other == life && attempt.direction == Direction::Do
        });
        if let Some((_, _, attempt)) = begun {
            let task = &attempt.task;
            return Err(format!("life {life} began {task} after it was cancelled"));
        }
    }
    Ok(())
}
