//! Every output and cursor reads back from its JSON, and every task reads the input and the outputs as
//! the types that they were written from.
//!
//! The engine treats such a failure like any other, so a workflow that can never store an output would
//! pass by rolling back. A value that reads back as something else (a skipped field) is not noticed
//! here: only its author knows what it should be.

use crate::history::What;
use crate::oracle::{Case, Kind, Oracle};

pub(super) const ORACLE: Oracle = Oracle {
    name: "values-read-back",
    promise: "every input, output and cursor reads back from its JSON",
    kind: Kind::Safety,
    advice: Some(
        "give the value a type that JSON can hold: JSON has no number that is not finite, and no map whose keys \
         are not texts. A field that is left out when it is written needs a default to be read",
    ),
    check,
};

fn check(case: &Case<'_>) -> Result<(), String> {
    let mut lost = case.history().select(|what| match what {
        What::Unserializable(message) => Some(message),
        _ => None,
    });
    let Some((place, life, message)) = lost.next() else {
        return Ok(());
    };
    let during = case.during(place);
    Err(format!(
        "life {life} met a value that can't be stored or read{during}: {message}"
    ))
}
