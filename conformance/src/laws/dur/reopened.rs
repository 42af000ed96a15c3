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
    let store = case.reopen(store).await?;
    for id in IDS {
        store.holds(id, &expected, "after reopening").await?;
    }
    Ok(())
}

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
