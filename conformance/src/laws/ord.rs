//! Order: a run loads in ascending order of its sequences, whatever these are.

use crashpoint::CheckpointRow;

use crate::case::Case;
use crate::finding::expect::{Checked, row, rows};

/// Appends `sequences` in this order and expects them to load in ascending order.
async fn loads_ascending(case: &Case, sequences: &[u64], when: &str) -> Checked {
    let store = case.open().await?;
    for &sequence in sequences {
        store.append("run", &row(sequence)).await?;
    }
    let mut ascending = sequences.to_vec();
    ascending.sort_unstable();
    store.holds("run", &rows(ascending), when).await
}

pub(crate) async fn ord_01_rows_appended_in_order_load_in_order(case: &Case) -> Checked {
    let sequences: Vec<u64> = (0..20).collect();
    loads_ascending(case, &sequences, "appended in order").await
}

pub(crate) async fn ord_02_rows_appended_in_any_order_load_ascending(case: &Case) -> Checked {
    // Multiplication by 7 visits every residue of 23 in an order that is neither ascending nor descending.
    let sequences: Vec<u64> = (1..=22).map(|step| step * 7 % 23).collect();
    loads_ascending(case, &sequences, "appended out of order").await
}

pub(crate) async fn ord_03_order_is_numeric(case: &Case) -> Checked {
    let edges = [10_u64, 100, 256, 1 << 16, 1 << 24, 1 << 32, 1 << 40];
    let sequences: Vec<u64> = edges
        .into_iter()
        .flat_map(|edge| [edge - 1, edge])
        .collect();
    let when = "with sequences of several lengths";
    loads_ascending(case, &sequences, when).await
}

pub(crate) async fn ord_04_gaps_are_kept(case: &Case) -> Checked {
    loads_ascending(case, &[0, 1, 5, 6, 1000, 1_000_000], "with gaps").await
}

pub(crate) async fn ord_05_a_run_may_start_above_zero(case: &Case) -> Checked {
    loads_ascending(case, &[7, 8, 9], "that starts at 7").await
}

pub(crate) async fn ord_06_sequences_above_i64_max_are_ordinary(case: &Case) -> Checked {
    const I64_MAX: u64 = i64::MAX as u64;
    let sequences = [0, I64_MAX - 1, I64_MAX, I64_MAX + 1, u64::MAX - 1, u64::MAX];
    loads_ascending(
        case,
        &sequences,
        "with sequences around i64::MAX and u64::MAX",
    )
    .await
}

pub(crate) async fn ord_07_sequences_around_2_pow_53_stay_apart(case: &Case) -> Checked {
    const EDGE: u64 = 1 << 53;
    let sequences = [EDGE - 1, EDGE, EDGE + 1, EDGE + 2];
    loads_ascending(case, &sequences, "with sequences around 2^53").await
}

pub(crate) async fn ord_08_sequences_around_u32_max_stay_apart(case: &Case) -> Checked {
    const EDGE: u64 = u32::MAX as u64;
    let sequences = [0, 1, EDGE - 1, EDGE, EDGE + 1, EDGE + 2];
    loads_ascending(case, &sequences, "with sequences around u32::MAX").await
}

pub(crate) async fn ord_09_ten_thousand_rows_load_whole(case: &Case) -> Checked {
    let store = case.open().await?;
    // More than a round number of rows, and more MiB than a page or a message has.
    let every: Vec<CheckpointRow> = (0..10_300).map(row_of_many).collect();
    store.append_all("run", &every).await?;
    store.holds("run", &every, "of 10,300 rows").await
}

/// A row with a blob of 1,700 bytes if its sequence is a multiple of four.
fn row_of_many(sequence: u64) -> CheckpointRow {
    const BLOB_BYTES: usize = 1_700;
    match sequence % 4 {
        0 => row(sequence).with_output(vec![b'm'; BLOB_BYTES]),
        _ => row(sequence),
    }
}

pub(crate) async fn ord_10_a_run_of_5_mib_loads_whole(case: &Case) -> Checked {
    const ROWS: u64 = 80;
    const BLOB_BYTES: usize = 64 * 1024;
    let store = case.open().await?;
    let large = |sequence: u64| {
        let filling = u8::try_from(sequence).unwrap_or(u8::MAX);
        CheckpointRow::new(sequence, "large", "filler").with_output(vec![filling; BLOB_BYTES])
    };
    let expected: Vec<CheckpointRow> = (0..ROWS).map(large).collect();
    store.append_all("run", &expected).await?;
    store.holds("run", &expected, "of 5 MiB").await
}

pub(crate) async fn ord_11_interleaved_ids_keep_their_order(case: &Case) -> Checked {
    const IDS: [&str; 3] = ["first", "second", "third"];
    let store = case.open().await?;
    for sequence in 0..30 {
        for id in IDS {
            store.append(id, &row(sequence)).await?;
        }
    }
    for id in IDS {
        store
            .holds(id, &rows(0..30), "interleaved with two others")
            .await?;
    }
    Ok(())
}

pub(crate) async fn ord_12_order_survives_reopening(case: &Case) -> Checked {
    const SHUFFLED: [u64; 8] = [300, 2, 10, 9, 256, u64::MAX, 255, 0];
    let store = case.open().await?;
    for sequence in SHUFFLED {
        store.append("run", &row(sequence)).await?;
    }
    let store = case.reopen(store).await?;
    let mut ascending = SHUFFLED;
    ascending.sort_unstable();
    store
        .holds("run", &rows(ascending), "after reopening")
        .await?;
    store.append("run", &row(11)).await?;
    let mut longer = ascending.to_vec();
    longer.insert(4, 11);
    store
        .holds("run", &rows(longer), "appended to after reopening")
        .await
}
