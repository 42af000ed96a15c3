//! A store that mixes ids up shows the log of another run. Nobody believes it: an operation on the run
//! fails, nobody resumes or clears it, and its ending is never the answer.

use crate::operations::fleet::{Health, RUNS};
use crate::operations::history::{Answer, What};
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "other-logs-are-corrupt",
    promise: "the log of another run is corrupt, and nobody answers from it",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mixed = RUNS.iter().filter(|run| run.health == Health::Mixed);
    for id in mixed.map(|run| run.id) {
        for entry in case.entries() {
            if let What::Landed { id: of, .. } | What::Cleared(of) | What::Effect { id: of, .. } =
                &entry.what
                && of == id
            {
                return Err(format!("{entry}, whose log is of another run"));
            }
        }
        for call in case.calls() {
            let own = call.operation.run() == Some(id);
            let believed = match call.answer {
                Answer::Status { .. } | Answer::Outcome(_) => own,
                Answer::Recovered { runs, .. } => runs.get(id).is_some_and(Result::is_ok),
                Answer::Unfinished(runs) => runs.get(id).is_some_and(Result::is_ok),
                Answer::Purged { .. } | Answer::Failed(_) => false,
            };
            if believed {
                let (operation, answer) = (call.operation, call.answer);
                return Err(format!(
                    "{operation} answers {answer}, from the log of another run"
                ));
            }
        }
    }
    Ok(())
}
