//! Errors: a failed operation returns one, of the right kind, and never panics.

mod outage;

use std::sync::Arc;

use crashpoint::{CheckpointRow, Error, StoreErrorKind};

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, broken, marked, quote, row, task_error};
use crate::harness::BoxFuture;

pub(crate) use self::outage::{
    err_03_a_backend_that_is_down_is_an_error, err_04_a_backend_that_comes_back_is_used_again,
};

const ID: &str = "order-4711";

pub(crate) async fn err_01_a_rejection_has_the_stores_category(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append(ID, &row(0)).await?;
    for duplicate in [marked(0, "other"), row(0)] {
        let error = store.rejects(ID, duplicate).await?;
        let got = category(&error);
        if got != "checkpoint_store" {
            return Err(broken(format!(
                "the category of a rejection: expected \"checkpoint_store\", got {got:?} \
                 ({error})"
            )));
        }
    }
    Ok(())
}

/// The category that the store gave its error, also behind an adapter.
fn category(error: &Error) -> &'static str {
    #[cfg(any(feature = "cano-0-12", feature = "cano-0-15"))]
    if let Some(theirs) = crate::cano::category(error) {
        return theirs;
    }
    error.category()
}

pub(crate) async fn err_02_nothing_panics(case: &Case) -> Checked {
    let store = case.open().await?;
    let long = "x".repeat(70_000);
    let ids = [
        "plain",
        "",
        "\0",
        "../..",
        "' OR '1'='1",
        "%",
        "*",
        "👩\u{200d}🚀",
        &long,
    ];
    for id in ids {
        for sequence in [0, u64::MAX, 1 << 63, 0] {
            let row = marked(sequence, id);
            survives(&store, "append", id, Operation::Append(row)).await?;
        }
        survives(&store, "load", id, Operation::Load).await?;
        survives(&store, "clear", id, Operation::Clear).await?;
        survives(&store, "second clear", id, Operation::Clear).await?;
        survives(&store, "load after clear", id, Operation::Load).await?;
    }
    Ok(())
}

enum Operation {
    Append(CheckpointRow),
    Load,
    Clear,
}

/// Fails if an operation panics, whatever it returns otherwise.
async fn survives(store: &Session, words: &str, id: &str, operation: Operation) -> Checked {
    let operation_on_id = format!("{words} with id {}", quote(id));
    store.step(Blame::Store, &operation_on_id);
    let (store, id) = (Arc::clone(store.store()), id.to_owned());
    let work: BoxFuture<'static, ()> = Box::pin(async move {
        match operation {
            Operation::Append(row) => drop(store.append(&id, row).await),
            Operation::Load => drop(store.load_run(&id).await),
            Operation::Clear => drop(store.clear(&id).await),
        }
    });
    let Err(error) = tokio::spawn(work).await else {
        return Ok(());
    };
    let message = task_error(error);
    Err(broken(format!(
        "{operation_on_id}: expected Ok or an error, got a panic: {message}"
    )))
}

pub(crate) async fn err_05_messages_name_id_and_sequence(case: &Case) -> Checked {
    const SEQUENCE: u64 = 83_521;
    let store = case.open().await?;
    store.append(ID, &row(SEQUENCE)).await?;
    let message = store.rejects(ID, row(SEQUENCE)).await?.to_string();
    for part in [ID, &SEQUENCE.to_string()] {
        if !message.contains(part) {
            return Err(broken(format!(
                "the message of a rejection: expected it to name {part:?}, got {message:?}"
            )));
        }
    }
    Ok(())
}

pub(crate) async fn err_06_a_duplicate_is_a_typed_conflict(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append(ID, &row(0)).await?;
    let error = store.rejects(ID, row(0)).await?;
    let kind = error.store_error().map(crashpoint::StoreError::kind);
    if kind == Some(StoreErrorKind::Conflict) {
        return Ok(());
    }
    Err(broken(format!(
        "the kind of a rejection: expected Some(Conflict), got {kind:?} ({error})"
    )))
}

/// Loads of a run, and of an id without rows, and clears of such an id.
const OPERATIONS: u64 = 1_000;

pub(crate) async fn err_07_a_healthy_store_answers_no_errors(case: &Case) -> Checked {
    let store = case.open().await?;
    let rows = [row(0), row(1), row(2)];
    store.append_all(ID, &rows).await?;
    for number in 0..OPERATIONS {
        let when = format!("loaded for the {number}th time");
        store.holds(ID, &rows, &when).await?;
        store.load("unknown").await?;
        store.clear("unknown").await?;
    }
    Ok(())
}
