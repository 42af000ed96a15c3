//! Every prefix of every log is legal and fits its definition, and no life was refused, panicked or
//! hung.
//!
//! Whether resuming a prefix also comes to a right end is what the exploration of crash points shows;
//! here only the log is read.

use crashpoint_engine::rebuild;

use crate::history::What;
use crate::oracle::{Case, Oracle};
use crate::subject::LifeEnd;

pub(super) const ORACLE: Oracle = Oracle {
    name: "prefixes-resume",
    promise: "every prefix of a log can be resumed",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for entry in &case.history().0 {
        let life = entry.life;
        match &entry.what {
            What::Told(LifeEnd::Refused(why)) => return Err(format!("life {life}: {why}")),
            What::Panicked(message) => return Err(format!("life {life} panicked: {message}")),
            What::Stalled => return Err("a life waits for nothing that will ever come".to_owned()),
            _ => {}
        }
    }
    for log in case.logs() {
        let rows: Vec<_> = log
            .rows
            .iter()
            .map(|stored| (*stored.row).clone())
            .collect();
        for end in 0..=rows.len() {
            let state = rebuild(&rows[..end]).map_err(|error| error.to_string())?;
            let definition = &case.workload().definition;
            definition
                .check(&rows[..end], &state)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
