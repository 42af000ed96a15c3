//! The states that a child's script may leave, given the answers that the child got.

use crashpoint::CheckpointRow;

use crate::case::Session;
use crate::child::{Step, script};
use crate::finding::expect::{Checked, broken, describe, quote};

/// The answer to a step of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// An error, or no answer before the child ended: the step may have taken effect.
    Unknown,
}

type Rows = Vec<CheckpointRow>;

/// Every possible state of the run `id` after the answered steps.
fn possible(id: &str, answers: &[Answer]) -> Vec<Rows> {
    let mut states: Vec<Rows> = vec![Vec::new()];
    for (step, answer) in script().iter().zip(answers) {
        let (Step::Append(run, _) | Step::Clear(run)) = step;
        if *run != id {
            continue;
        }
        let after: Vec<Rows> = states
            .iter()
            .filter_map(|rows| performed(step, rows))
            .collect();
        match answer {
            Answer::Done => states = after,
            Answer::Unknown => states.extend(after),
        }
        states.dedup();
    }
    states
}

fn performed(step: &Step, rows: &[CheckpointRow]) -> Option<Rows> {
    match step {
        Step::Clear(_) => Some(Vec::new()),
        Step::Append(_, row) => {
            let is_taken = rows.iter().any(|held| held.sequence == row.sequence);
            let mut rows = rows.to_vec();
            rows.push(row.clone());
            rows.sort_by_key(|row| row.sequence);
            (!is_taken).then_some(rows)
        }
    }
}

/// Fails unless each run is in a possible state. `when` completes the message "a child ...".
pub(super) async fn judge(store: &Session, answers: &[Answer], when: &str) -> Checked {
    for id in ["one", "other"] {
        let got = store.load(id).await?;
        let states = possible(id, answers);
        if !states.contains(&got) {
            let expected = match &states[..] {
                [state] => format!("expected {}, got {}", in_words(state), in_words(&got)),
                // Each on a line of its own, below what came instead.
                several => {
                    let several = several.iter().map(|rows| format!("\n  {}", in_words(rows)));
                    let (count, several) = (states.len(), several.collect::<String>());
                    let got = in_words(&got);
                    format!("expected one of {count} states, got {got}; the states are{several}")
                }
            };
            return Err(broken(format!(
                "run {} of a child {when}: {expected}",
                quote(id)
            )));
        }
    }
    Ok(())
}

fn in_words(rows: &[CheckpointRow]) -> String {
    let rows: Vec<String> = rows.iter().map(describe).collect();
    format!("[{}]", rows.join(", "))
}
