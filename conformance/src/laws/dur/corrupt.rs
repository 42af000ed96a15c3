//! A row that is damaged in storage before its place is opened again.

use std::sync::Arc;

use crashpoint::{CheckpointRow, RowKind};
use tokio::task::JoinError;

use crate::case::{Blame, Case};
use crate::finding::expect::{Checked, Failure, broken, describe, row, rows, task_error};
use crate::harness::hooks::{Damage, offered};
use crate::harness::place::Place;
use crate::harness::{BoxFuture, Opened};

/// The number of flipped bits, each at a new place.
const DAMAGES: u32 = 16;

/// The run whose row is damaged. The row is in the middle, because at the end of a log a store may rightly
/// take it for a torn write.
const DAMAGED: &str = "damaged";
/// A run beside it.
const BESIDE: &str = "beside";
const SEQUENCE: u64 = 3;
const ROWS: u64 = 8;

/// Bytes that occur in no store by chance.
const NEEDLE: &[u8] = b"a needle of the conformance kit, found in no haystack but this";

/// What loading from a damaged place returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// An error.
    Loud,
    /// The rows as written.
    Unharmed,
}

pub(crate) async fn dur_12_a_corrupt_row_is_a_loud_error(case: &Case) -> Checked {
    let mut loud = 0;
    for number in 0..DAMAGES {
        let place = case.another_place()?;
        if damaged(case, &place, number).await? == Answer::Loud {
            loud += 1;
        }
        case.leave(&place).await?;
    }
    if loud == 0 {
        return Err(Failure::Inconclusive(format!(
            "`corrupt` damaged a row {DAMAGES} times, and each time it loaded as written: is there another \
             copy of it?"
        )));
    }
    Ok(())
}

/// Fills a place, damages a row and loads it.
async fn damaged(case: &Case, place: &Arc<Place>, number: u32) -> Result<Answer, Failure> {
    let store = case.open_at(place).await?;
    for row in written() {
        store.append(DAMAGED, &row).await?;
    }
    store.append_all(BESIDE, &rows(0..2)).await?;
    case.drop_all(store).await?;
    case.progress.step(Blame::Harness, "damaging a row");
    let damage = Damage {
        workflow_id: DAMAGED,
        sequence: SEQUENCE,
        needle: NEEDLE,
        number,
    };
    offered("corrupt", case.subject.corrupt(place, damage).await)?;
    let answer = opened_again(case, place, number).await;
    case.close_all().await?;
    answer
}

fn written() -> Vec<CheckpointRow> {
    let mut written = rows(0..ROWS);
    let needle = row(SEQUENCE).with_blob(RowKind::CompensationCompletion, NEEDLE.to_vec());
    written[SEQUENCE as usize] = needle;
    written
}

async fn opened_again(case: &Case, place: &Arc<Place>, number: u32) -> Result<Answer, Failure> {
    let when = format!("after damage {number} to row {SEQUENCE} of run \"{DAMAGED}\"");
    let step = format!("opening the store and loading its runs {when}");
    case.progress.step(Blame::Store, &step);
    let (subject, place) = (case.subject.clone(), Arc::clone(place));
    // In its own task, so that a panic has its own message.
    let look: BoxFuture<'static, Option<Opened>> =
        Box::pin(async move { subject.open_once(&place).await.ok() });
    // Refusing the whole place is loud enough.
    let Some(opened) = survived(tokio::spawn(look).await, "an opening", &when)? else {
        return Ok(Answer::Loud);
    };
    let session = case.adopt(opened);
    let store = session.clone();
    let look: BoxFuture<'static, Loads> = Box::pin(async move {
        let damaged = store.try_load(DAMAGED).await.ok();
        (damaged, store.try_load(BESIDE).await.ok())
    });
    let (damaged, beside) = survived(tokio::spawn(look).await, "a load", &when)?;
    // A run beside it may be an error too, but must not change.
    if let Some(got) = beside.filter(|got| *got != rows(0..2)) {
        return Err(silent(&format!("{when}, of a run beside it"), &got));
    }
    match damaged {
        None => Ok(Answer::Loud),
        Some(got) if got == written() => Ok(Answer::Unharmed),
        Some(got) => Err(silent(&when, &got)),
    }
}

type Loads = (Option<Vec<CheckpointRow>>, Option<Vec<CheckpointRow>>);

fn survived<T>(joined: Result<T, JoinError>, what: &str, when: &str) -> Result<T, Failure> {
    joined.map_err(|error| {
        let message = task_error(error);
        broken(format!(
            "{what} {when}: expected an error, got a panic: {message}"
        ))
    })
}

fn silent(when: &str, got: &[CheckpointRow]) -> Failure {
    let at = got.iter().find(|row| row.sequence == SEQUENCE);
    let row = at.map_or_else(|| "no such row".to_owned(), describe);
    let count = got.len();
    broken(format!(
        "a load {when}: expected an error or the rows as written, got {count} rows with {row}"
    ))
}
