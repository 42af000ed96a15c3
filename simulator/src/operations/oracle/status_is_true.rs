//! A status says what the log said at an instant of the call: the number of rows, and the ending.

use crate::operations::history::Answer;
use crate::operations::operation::Operation;
use crate::operations::oracle::{Case, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "status-is-true",
    promise: "a status says what the log says, and never invents an ending",
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    for call in case.calls() {
        let Operation::Status(id) = call.operation else {
            continue;
        };
        let said = case.said_during(id, &call);
        match call.answer {
            Answer::Status { rows, ending } => {
                let is_true = said
                    .iter()
                    .any(|said| said.rows as u64 == *rows && said.ending.as_ref() == Some(ending));
                if !is_true {
                    return Err(format!(
                        "a status has {id} as {}, and its log never said so",
                        call.answer
                    ));
                }
            }
            Answer::Failed(failed) => {
                let is_true = match failed.category {
                    "not_found" => said.iter().any(|said| said.rows == 0),
                    "checkpoint_store" => case.met_a_fault(&call, Some(id)),
                    _ => false,
                };
                if !is_true {
                    return Err(format!(
                        "a status failed without a reason: {}",
                        failed.message
                    ));
                }
            }
            other => return Err(format!("a status answered {other}")),
        }
    }
    Ok(())
}
