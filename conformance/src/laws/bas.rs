//! Append and load: a load returns what was appended, and changes nothing.

use crashpoint::{CheckpointRow, RowKind};

use crate::case::{Case, Session};
use crate::finding::expect::{
    Checked, Failure, broken, failed, marked, quote, row, rows, same_rows,
};

pub(crate) async fn bas_01_an_unknown_id_loads_as_an_empty_run(case: &Case) -> Checked {
    let store = case.open().await?;
    store.holds("unknown", &[], "of an empty store").await?;
    store.append("known", &row(0)).await?;
    store.holds("unknown", &[], "beside a run").await
}

pub(crate) async fn bas_02_every_field_comes_back_as_appended(case: &Case) -> Checked {
    let store = case.open().await?;
    let plain = CheckpointRow::new(0, "a state", "a task");
    let mut without_blob = CheckpointRow::new(2, "third state", "third task");
    without_blob.kind = RowKind::StepCursor;
    let full = [
        plain,
        CheckpointRow::new(1, "other state", "other task").with_output(vec![1, 2, 3]),
        without_blob,
        CheckpointRow::new(3, "", "").with_cursor(b"cursor".to_vec()),
    ];
    store.append_all("run", &full).await?;
    store.holds("run", &full, "as appended").await
}

pub(crate) async fn bas_03_a_row_is_visible_once_append_returned(case: &Case) -> Checked {
    let store = case.open().await?;
    let expected = rows(0..8);
    for count in 1..=expected.len() {
        store.append("run", &expected[count - 1]).await?;
        let when = format!("right after append {count} returned");
        store.holds("run", &expected[..count], &when).await?;
    }
    Ok(())
}

pub(crate) async fn bas_04_rows_are_visible_through_every_clone(case: &Case) -> Checked {
    let store = case.open().await?;
    let mut views = vec![
        ("through the first handle", store.clone()),
        ("through another `Arc`", store.through_arc()),
    ];
    views.extend(
        store
            .through_clone()
            .map(|clone| ("through the store's clone", clone)),
    );
    let mut expected = Vec::new();
    for (sequence, (_, writer)) in (0..).zip(&views) {
        writer.append("run", &row(sequence)).await?;
        expected.push(row(sequence));
        for (when, reader) in &views {
            reader.holds("run", &expected, when).await?;
        }
    }
    Ok(())
}

/// More loads than a pool has connections, or a process has file descriptors.
const LOADS: usize = 1_100;

pub(crate) async fn bas_05_loading_changes_nothing(case: &Case) -> Checked {
    let store = case.open().await?;
    let listed = ids_listed(&store).await?;
    for _ in 0..LOADS {
        store.holds("run", &[], "that was never written").await?;
    }
    let listed_after = ids_listed(&store).await?;
    if listed != listed_after {
        return Err(broken(format!(
            "the listing after loads of an unknown id: expected {listed:?}, got {listed_after:?}"
        )));
    }
    let expected = rows(0..3);
    store.append_all("run", &expected).await?;
    for _ in 0..3 {
        store.holds("run", &expected, "loaded repeatedly").await?;
    }
    store.append("run", &row(3)).await?;
    store.holds("run", &rows(0..4), "after loads").await
}

async fn ids_listed(store: &Session) -> Result<Vec<String>, Failure> {
    let Some(listing) = store.store().as_listing() else {
        return Ok(Vec::new());
    };
    let listed = listing.run_ids(None, 100).await;
    listed.map_err(|error| failed("listing runs", &error))
}

pub(crate) async fn bas_06_loaded_rows_are_the_callers_own(case: &Case) -> Checked {
    let store = case.open().await?;
    let expected = rows(0..4);
    store.append_all("run", &expected).await?;
    let kept = store.load("run").await?;
    let mut spoilt = store.load("run").await?;
    for row in &mut spoilt {
        row.state.push_str("spoilt");
        row.output_blob = Some(vec![0xff; 64]);
    }
    spoilt.reverse();
    store
        .holds("run", &expected, "after a caller changed its copy")
        .await?;
    store.append("run", &row(4)).await?;
    store.clear("run").await?;
    same_rows(|| "rows loaded before a clear".to_owned(), &expected, &kept)
}

pub(crate) async fn bas_07_store_and_futures_move_between_threads(case: &Case) -> Checked {
    let store = case.open().await?;
    let writers: Vec<_> = (0..4_u64)
        .map(|sequence| {
            let store = store.clone();
            tokio::spawn(async move { store.try_append("run", row(sequence)).await })
        })
        .collect();
    for writer in writers {
        let appended = writer.await;
        let appended = appended.map_err(|error| broken(format!("an append failed: {error}")))?;
        appended.map_err(|error| failed("append", &error))?;
    }
    store
        .holds("run", &rows(0..4), "appended by four tasks")
        .await
}

pub(crate) async fn bas_08_every_place_is_fresh_and_separate(case: &Case) -> Checked {
    let other_place = case.another_place()?;
    let here = case.open().await?;
    let there = case.open_at(&other_place).await?;
    let checked = separate(&here, &there).await;
    drop(there);
    case.leave(&other_place).await?;
    checked
}

async fn separate(here: &Session, there: &Session) -> Checked {
    let mine = [marked(0, "here")];
    fresh(here).await?;
    fresh(there).await?;
    here.append("run", &mine[0]).await?;
    fresh(there).await
}

async fn fresh(store: &Session) -> Checked {
    let got = store.load("run").await?;
    if got.is_empty() {
        return Ok(());
    }
    let (id, count) = (quote("run"), got.len());
    Err(Failure::Harness(format!(
        "a place is not fresh and separate: expected an empty run {id}, got {count} rows; \
         does `open` ignore its place?"
    )))
}
