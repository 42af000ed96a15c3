//! What comes after a crash: a step in doubt is tried again, more is appended, and the place is opened twice
//! more. A torn tail, a draft or a blob that a crash has left shows only then.

use std::sync::Arc;

use crashpoint::CheckpointRow;

use super::listed::lists_its_runs;
use super::script::Answer;
use crate::case::{Case, Session};
use crate::child::{Script, Step};
use crate::finding::expect::{Checked, Failure, broken, row};
use crate::harness::place::Place;

/// A run that is begun after the crash.
const AFTER: &str = "after";

/// A sequence that the script does not use.
const LATER: u64 = 1_000;

/// Goes on with a store that was opened after a crash. `after` says what had happened.
pub(super) async fn goes_on(
    case: &Case,
    place: &Arc<Place>,
    mut store: Session,
    (script, answers): (&Script, &[Answer]),
    after: &str,
) -> Checked {
    let in_context = |failure| match failure {
        Failure::Broken(message) => broken(format!("after {after}, opened again: {message}")),
        other => other,
    };
    for (step, answer) in script.steps.iter().zip(answers) {
        if let (Step::Append(id, row), Answer::Unknown) = (step, answer) {
            let held = store.load(id).await?;
            if held.iter().all(|held| held.sequence != row.sequence) {
                store.append(id, &retried(row)).await.map_err(in_context)?;
            }
        }
    }
    let runs = || script.runs.iter().copied().chain([AFTER]);
    let mut expected = Vec::new();
    for id in runs() {
        store.append(id, &row(LATER)).await.map_err(in_context)?;
        expected.push(store.load(id).await?);
    }
    for opening in ["a second time", "a third time"] {
        store = case.reopen_at(place, store).await.map_err(in_context)?;
        let when = format!("continued after {after}, and opened {opening}");
        for (id, rows) in runs().zip(&expected) {
            store.holds(id, rows, &when).await?;
        }
        lists_its_runs(case, &store, runs(), &when).await?;
    }
    Ok(())
}

/// A row as long as `row`, but another: what was left of `row` must not be taken for it.
fn retried(row: &CheckpointRow) -> CheckpointRow {
    let mut other = row.clone();
    other.state = format!("retried {}", row.state);
    let blob = row.output_blob.as_ref();
    other.output_blob = blob.map(|blob| vec![b'r'; blob.len()]);
    other
}
