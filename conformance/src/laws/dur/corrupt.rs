//! A row that is not what was written, when its place is opened again.

use std::sync::Arc;

use crashpoint::{CheckpointRow, RowKind};
use tokio::task::JoinError;

use crate::case::{Blame, Case};
use crate::finding::expect::panic_message;
use crate::finding::expect::{Checked, Failure, broken, describe, row, rows};
use crate::harness::hooks::{Damage, offered};
use crate::harness::place::Place;
use crate::harness::{BoxFuture, Opened};

/// So many bits are turned over, each in a place of its own.
const DAMAGES: u32 = 16;

/// The run whose row is damaged. It is in the middle: a store that takes the end of its log for a write
/// that was cut short can't know better.
const DAMAGED: &str = "damaged";
/// The one beside it.
const BESIDE: &str = "beside";
const SEQUENCE: u64 = 3;
const ROWS: u64 = 8;

/// Bytes that no store has of its own.
const NEEDLE: &[u8] = b"a needle of the conformance kit, found in no haystack but this";

/// What a damaged place has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Loud,
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
            "{DAMAGES} times `corrupt` damaged a row, and each time it was whole when it was loaded: \
             is there another copy of it?"
        )));
    }
    Ok(())
}

/// Fills a place, damages its row and looks at it.
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
    // In a task of its own, whose panic has a message of its own.
    let look: BoxFuture<'static, Option<Opened>> =
        Box::pin(async move { subject.open(&place).await.ok() });
    // Refused as a whole is loud enough.
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
    // The runs beside it may be refused with it, but not be changed.
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
        let message = match error.try_into_panic() {
            Ok(payload) => panic_message(&*payload),
            Err(error) => error.to_string(),
        };
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
        "a load {when}: expected an error, or what was written, got {count} rows with {row}"
    ))
}
