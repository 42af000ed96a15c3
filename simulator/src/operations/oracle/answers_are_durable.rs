//! An embedded store keeps what it has answered, whatever crashes: a row that it has taken is there, and a
//! log that it has cleared does not come back. The change that a crash interrupts may be there or not.

use crate::operations::history::What;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "answers-are-durable",
    promise: "what an operation was answered survives every crash and power loss",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for (place, entry) in case.entries().iter().enumerate() {
        let (id, rows) = match &entry.what {
            What::Found { id, rows } => (id, rows),
            What::NotOpened(message) => return Err(format!("the store does not open: {message}")),
            _ => continue,
        };
        let before = case.log(id, place);
        if before.iter().copied().eq(rows.iter()) {
            continue;
        }
        return Err(match (before.len(), rows.len()) {
            (0, rows) => {
                format!("the log of {id} was cleared, and has {rows} rows after the crash")
            }
            (before, rows) => format!(
                "of {before} rows of {id} some are lost or differ; after the crash there are {rows}"
            ),
        });
    }
    Ok(())
}
