//! Reopening: acknowledged rows are there when the place is opened again.

use crashpoint::CheckpointRow;

use crate::case::Case;
use crate::contract::REFERENCE_KINDS;
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
    // The laws of payload and of ids check what these show; here it must only stay the same.
    let mut shown = Vec::new();
    for id in ODD_IDS {
        for row in odd_rows(id) {
            let _ = store.try_append(id, row).await;
        }
        shown.push(store.load(id).await?);
    }
    let store = case.reopen(store).await?;
    for id in IDS {
        store.holds(id, &expected, "after reopening").await?;
    }
    let when = "after a clear, three appends and reopening";
    store.holds("second life", &rows(0..3), when).await?;
    store
        .holds("large", &rows(0..LARGE_ROWS), "after reopening")
        .await?;
    for (id, rows) in ODD_IDS.iter().zip(&shown) {
        store.holds(id, rows, "after reopening").await?;
    }
    Ok(())
}

/// Ids that a store may have encoded for its disk, and must decode when it opens it.
const ODD_IDS: [&str; 14] = [
    "Order",
    "order",
    "order ",
    "a/b",
    "a%2Fb",
    "a+b",
    "..",
    "%",
    "line\nbreak",
    "tab\tquote'\"\\",
    "caf\u{e9}",
    "1",
    "01",
    "null",
];

/// Rows that look alike in many encodings, and are another in memory than on a disk if one of these is wrong.
fn odd_rows(id: &str) -> Vec<CheckpointRow> {
    let texts = [
        "",
        " ",
        "007",
        "line\nbreak\r\n",
        "nul\0",
        "a|b,c;d\t",
        "caf\u{e9}",
    ];
    let blobs = [
        None,
        Some(Vec::new()),
        Some(vec![0]),
        Some(vec![0; 16]),
        Some(b"\r\n\x1a\x1f\x8b\0 ".to_vec()),
        Some((0..=u8::MAX).collect()),
    ];
    let sequences = [0, 1, 255, 256, u64::from(u32::MAX) + 1, u64::MAX];
    let kinds = REFERENCE_KINDS.into_iter().cycle();
    let texts = texts.into_iter().cycle();
    let parts = sequences.into_iter().zip(blobs).zip(kinds.zip(texts));
    parts
        .map(|((sequence, blob), (kind, text))| {
            let mut row = CheckpointRow::new(sequence, text, format!("{id}{text}"));
            row.kind = kind;
            row.output_blob = blob;
            row
        })
        .collect()
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
