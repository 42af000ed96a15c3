//! The states that a child's script may leave, given the answers that the child got.

use std::cmp::Reverse;

use crashpoint::CheckpointRow;

use super::listed::lists_its_runs;
use crate::case::{Case, Session};
use crate::child::{Script, Step};
use crate::finding::expect::{Checked, broken, describe, quote, same_rows};

/// The answer to a step of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// An error, or no answer before the child ended: the step may have taken effect.
    Unknown,
}

type Rows = Vec<CheckpointRow>;

/// The answers of a child that was ended after so many acknowledged steps, with the next step under way.
pub(super) fn ended_after(steps: u64, script: &Script) -> Vec<Answer> {
    let mut answers = vec![Answer::Done; steps as usize];
    answers.push(Answer::Unknown);
    answers.truncate(script.steps.len());
    answers
}

/// Every possible state of the run `id` after the answered steps.
fn possible(script: &Script, id: &str, answers: &[Answer]) -> Vec<Rows> {
    let mut states: Vec<Rows> = vec![Vec::new()];
    for (step, answer) in script.steps.iter().zip(answers) {
        if step.run() != Some(id) {
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
        Step::Maintain => Some(rows.to_vec()),
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

/// Fails unless each run is in a possible state, and listed if it has a row. `when` completes the message "a child ...".
pub(super) async fn judge(
    case: &Case,
    store: &Session,
    script: &Script,
    answers: &[Answer],
    when: &str,
) -> Checked {
    for &id in script.runs {
        let got = store.load(id).await?;
        let states = possible(script, id, answers);
        if states.contains(&got) {
            continue;
        }
        let what = format!("run {} of a child {when}", quote(id));
        if states.iter().any(|rows| rows.len() > ROWS_SHOWN) {
            return same_rows(|| what, nearest(&states, &got), &got);
        }
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
        return Err(broken(format!("{what}: {expected}")));
    }
    let when = format!("of the place of a child {when}");
    lists_its_runs(case, store, script.runs.iter().copied(), &when).await
}

/// The most rows of a state that a message shows.
const ROWS_SHOWN: usize = 8;

/// The state that agrees with `got` for longest, and of these the one that is most like it in length.
fn nearest<'a>(states: &'a [Rows], got: &[CheckpointRow]) -> &'a [CheckpointRow] {
    let agreement = |rows: &&Rows| {
        let same = rows.iter().zip(got).take_while(|(row, got)| row == got);
        (same.count(), Reverse(rows.len().abs_diff(got.len())))
    };
    states
        .iter()
        .max_by_key(agreement)
        .map_or(&[], Vec::as_slice)
}

fn in_words(rows: &[CheckpointRow]) -> String {
    let rows: Vec<String> = rows.iter().map(describe).collect();
    format!("[{}]", rows.join(", "))
}
