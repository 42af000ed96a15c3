//! An outage of the backend: the store returns errors meanwhile, and reconnects afterwards.

use std::time::Duration;

use crashpoint::{CheckpointRow, Error};

use crate::case::{Blame, Case, Session};
use crate::finding::expect::{Checked, Failure, broken, quote, row, rows, same_rows};
use crate::harness::hooks::offered;

/// The run that exists before the outage, and the number of its rows.
const BEFORE: &str = "before";
const ROWS: u64 = 4;

/// A run that would begin during the outage.
const MEANWHILE: &str = "meanwhile";

pub(crate) async fn err_03_a_backend_that_is_down_is_an_error(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all(BEFORE, &rows(0..ROWS)).await?;
    go_down(case).await?;
    // Twice: the first call may use a connection that has not noticed the outage.
    for _ in 0..2 {
        refused(&store, "an append to", BEFORE, Request::Append(row(ROWS))).await?;
        refused(&store, "an append to", MEANWHILE, Request::Append(row(0))).await?;
        refused(&store, "a clear of", BEFORE, Request::Clear).await?;
        // A store may load from a cache, but an empty run means that there was none.
        if let Ok(got) = store.try_load(BEFORE).await {
            let when = || format!("run {} while the backend was down", quote(BEFORE));
            same_rows(when, &rows(0..ROWS), &got)?;
        }
    }
    come_back(case).await
}

enum Request {
    Append(CheckpointRow),
    Clear,
}

/// Fails unless the store returns an error. The law's deadline ensures an answer.
async fn refused(store: &Session, words: &str, id: &str, request: Request) -> Checked {
    let answer: Result<(), Error> = match request {
        Request::Append(row) => store.try_append(id, row).await,
        Request::Clear => {
            let progress = store.progress();
            progress.operation("clear", id, None);
            store.store().clear(id).await
        }
    };
    match answer {
        Err(_) => Ok(()),
        Ok(()) => Err(broken(format!(
            "{words} run {} while the backend was down: expected an error, got Ok",
            quote(id)
        ))),
    }
}

/// How often the law tries a store after the outage. It waits a part of an operation's deadline between two
/// tries.
const TRIES: u32 = 50;

pub(crate) async fn err_04_a_backend_that_comes_back_is_used_again(case: &Case) -> Checked {
    let store = case.open().await?;
    store.append_all(BEFORE, &rows(0..ROWS)).await?;
    go_down(case).await?;
    // The store must notice the outage. ERR-03 checks the answers.
    let lost = store.try_append(BEFORE, row(ROWS)).await;
    let _ = store.try_load(BEFORE).await;
    come_back(case).await?;
    let store = match case.options().reopens_after_outage {
        true => case.reopen(store).await?,
        false => store,
    };
    let pause = case.options().operation_max / (TRIES * 2);
    let got = find_again(&store, pause).await?;
    // An append that returned an error may have taken effect.
    let is_whole = lost.is_ok() || got.len() > ROWS as usize;
    let expected = rows(0..ROWS + u64::from(is_whole));
    let when = || format!("run {} once the backend was back", quote(BEFORE));
    same_rows(when, &expected, &got)?;
    store.append("after", &row(0)).await?;
    let when = "written once the backend was back";
    store.holds("after", &rows([0]), when).await?;
    store.clear(BEFORE).await
}

/// Loads the run as soon as the store works again.
async fn find_again(store: &Session, pause: Duration) -> Result<Vec<CheckpointRow>, Failure> {
    let mut last = String::new();
    for _ in 0..TRIES {
        match store.try_load(BEFORE).await {
            Ok(got) => return Ok(got),
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(pause).await;
    }
    Err(broken(format!(
        "a load of run {} once the backend was back, tried {TRIES} times: expected Ok, got the \
         error \"{last}\"",
        quote(BEFORE)
    )))
}

async fn go_down(case: &Case) -> Checked {
    case.progress.step(Blame::Harness, "breaking the backend");
    let got = case.subject.break_backend(case.place()).await;
    offered("break_backend", got)
}

async fn come_back(case: &Case) -> Checked {
    case.progress.step(Blame::Harness, "healing the backend");
    let got = case.subject.heal_backend(case.place()).await;
    offered("heal_backend", got)
}
