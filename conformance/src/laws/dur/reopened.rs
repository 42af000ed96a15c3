//! Reopening: acknowledged rows are there when the place is opened again.

use crashpoint::CheckpointRow;

use crate::case::Case;
use crate::finding::expect::{Checked, row, rows};

pub(crate) async fn dur_01_rows_survive_reopening(case: &Case) -> Checked {
    const IDS: [&str; 3] = ["first", "second", "third"];
    let large = CheckpointRow::new(6, "large", "filler").with_output(vec![b'x'; 50_000]);
    let mut expected = rows(0..6);
    expected.push(large);
    let store = case.open().await?;
    for id in IDS {
        store.append_all(id, &expected).await?;
    }
    store.append_all("large", &rows(0..LARGE_ROWS)).await?;
    // Its second life is shorter than its first.
    store.append_all("second life", &rows(0..6)).await?;
    store.clear("second life").await?;
    store.append_all("second life", &rows(0..3)).await?;
    let store = case.reopen(store).await?;
    for id in IDS {
        store.holds(id, &expected, "after reopening").await?;
    }
    let when = "after a clear, three appends and reopening";
    store.holds("second life", &rows(0..3), when).await?;
    store
        .holds("large", &rows(0..LARGE_ROWS), "after reopening")
        .await
}

/// More than a page, a segment or a list in memory holds.
const LARGE_ROWS: u64 = 1_100;

/// More than a list of segments or versions would be limited to.
const REOPENINGS: u64 = 20;

pub(crate) async fn dur_02_rows_survive_twenty_reopenings(case: &Case) -> Checked {
    let mut store = case.open().await?;
    store.append_all("old", &rows(0..3)).await?;
    for reopened in 1..=REOPENINGS {
        store.append("run", &row(reopened - 1)).await?;
        store = case.reopen(store).await?;
        let when = format!("after reopening {reopened} of {REOPENINGS}");
        store.holds("old", &rows(0..3), &when).await?;
        store.holds("run", &rows(0..reopened), &when).await?;
    }
    Ok(())
}
