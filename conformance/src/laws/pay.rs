//! Fidelity: a store keeps rows unchanged and interprets none of their fields.

use crashpoint::CheckpointRow;

use crate::case::{Case, Session};
use crate::contract::REFERENCE_KINDS;
use crate::finding::expect::{Checked, broken, same_rows};

/// Appends the rows in order and expects the same back.
async fn come_back(case: &Case, rows: &[CheckpointRow], when: &str) -> Checked {
    let store = case.open().await?;
    store.append_all("run", rows).await?;
    store.holds("run", rows, when).await
}

fn with_blob(sequence: u64, blob: Vec<u8>) -> CheckpointRow {
    CheckpointRow::new(sequence, "state", "task").with_output(blob)
}

/// Bytes that repeat after a prime number of bytes, so that no two blocks of a power of two are equal.
fn varied(length: usize) -> Vec<u8> {
    const PERIOD: usize = 8191;
    let mut word = 0x9e37_79b9_u32;
    let byte = |_| {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word.to_be_bytes()[0]
    };
    let period: Vec<u8> = (0..PERIOD).map(byte).collect();
    let mut bytes = period.repeat(length.div_ceil(PERIOD));
    bytes.truncate(length);
    bytes
}

/// Blobs of the same length with almost the same bytes, which a store that deduplicates or compresses must
/// tell apart.
fn alike(length: usize) -> [Vec<u8>; 3] {
    let with_one_at = |place: usize| {
        let mut blob = vec![0; length];
        blob[place] = 1;
        blob
    };
    [
        vec![0; length],
        with_one_at(length / 2),
        with_one_at(length - 1),
    ]
}

pub(crate) async fn pay_01_no_blob_and_an_empty_blob_stay_apart(case: &Case) -> Checked {
    let mut without = with_blob(1, Vec::new());
    without.output_blob = None;
    let mut entry_with_empty = CheckpointRow::new(2, "state", "task");
    entry_with_empty.output_blob = Some(Vec::new());
    let rows = [
        with_blob(0, Vec::new()),
        without,
        entry_with_empty,
        CheckpointRow::new(3, "state", "task"),
    ];
    come_back(case, &rows, "with empty blobs and with none").await
}

pub(crate) async fn pay_02_all_byte_values_come_back(case: &Case) -> Checked {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let rows = [
        with_blob(0, every.clone()),
        with_blob(1, every.into_iter().rev().collect()),
        with_blob(2, vec![0]),
        with_blob(3, vec![0xff, 0xfe, 0x00]),
        with_blob(4, b"\r\n\\x00 \0 trailing \n".to_vec()),
    ];
    come_back(case, &rows, "with all byte values").await
}

pub(crate) async fn pay_03_every_kind_with_and_without_a_blob(case: &Case) -> Checked {
    let mut rows = Vec::new();
    // ENG-04 checks the kinds of the engine.
    for kind in REFERENCE_KINDS {
        for blob in [None, Some(vec![7; 3])] {
            let sequence = rows.len() as u64;
            let mut row = CheckpointRow::new(sequence, "state", "task");
            row.kind = kind;
            row.output_blob = blob;
            rows.push(row);
        }
    }
    come_back(case, &rows, "with every kind of row").await
}

pub(crate) async fn pay_04_states_and_task_ids_are_any_text(case: &Case) -> Checked {
    let long = "ü".repeat(32 * 1024);
    // In ASCII every cut is at the beginning of a character.
    let long_ascii = "ab".repeat(32 * 1024);
    let texts = [
        "",
        " ",
        "plain",
        "Plain",
        "PLAIN",
        "line\nbreak\r\n",
        "return\r",
        "\u{feff}mark",
        "007",
        "nul\0inside",
        "\0",
        "tab\t",
        "quote ' \" ` \\",
        "caf\u{e9} cafe\u{301} \u{202e} 👩\u{200d}🚀",
        "a:b|c,d;e/f#g",
        "null",
        "%s {} $1 ?",
        &long,
        &long_ascii,
    ];
    let shifted = texts.iter().cycle().skip(5);
    let rows: Vec<CheckpointRow> = (0..)
        .zip(texts.iter().zip(shifted))
        .map(|(sequence, (state, task))| CheckpointRow::new(sequence, *state, *task))
        .collect();
    come_back(case, &rows, "with any text for states and tasks").await
}

pub(crate) async fn pay_05_blobs_at_block_edges_come_back(case: &Case) -> Checked {
    let edges = [256, 4096, 8192, 16_384, 32_768, 65_536];
    let around = edges
        .into_iter()
        .flat_map(|edge| [edge - 1, edge, edge + 1]);
    let blobs = around.map(varied).chain(edges.into_iter().flat_map(alike));
    let rows: Vec<CheckpointRow> = (0..)
        .zip(blobs)
        .map(|(sequence, blob)| with_blob(sequence, blob))
        .collect();
    come_back(case, &rows, "with blobs at block edges").await
}

const MIB: usize = 1 << 20;

pub(crate) async fn pay_06_a_blob_of_1_mib_comes_back(case: &Case) -> Checked {
    let rows = [with_blob(0, varied(MIB)), with_blob(1, vec![1])];
    come_back(case, &rows, "with a blob of 1 MiB").await
}

/// The blob that a store without a declared limit must accept, in bytes.
const BLOB_BYTES: usize = 16 * MIB;

pub(crate) async fn pay_07_the_declared_limit_holds(case: &Case) -> Checked {
    let store = case.open().await?;
    let limit = case.options().blob_bytes_max;
    let largest = [with_blob(0, varied(limit.unwrap_or(BLOB_BYTES)))];
    store.append_all("run", &largest).await?;
    store
        .holds("run", &largest, "with the largest blob")
        .await?;
    match limit {
        None => Ok(()),
        Some(limit) => refuses_beyond(&store, limit, &largest).await,
    }
}

async fn refuses_beyond(store: &Session, limit: usize, kept: &[CheckpointRow]) -> Checked {
    let beyond = with_blob(1, varied(limit + 1));
    if store.try_append("run", beyond).await.is_ok() {
        return Err(broken(format!(
            "append of a blob of {} bytes: expected an error beyond the declared limit of {limit}, \
             got Ok",
            limit + 1
        )));
    }
    let got = store.load("run").await?;
    same_rows(
        || "run \"run\" after a blob beyond the limit".to_owned(),
        kept,
        &got,
    )?;
    store.append("run", &with_blob(1, vec![1])).await
}

pub(crate) async fn pay_08_equal_rows_stay_rows_of_their_own(case: &Case) -> Checked {
    const IDS: [&str; 3] = ["first", "second", "third"];
    let store = case.open().await?;
    let same = |sequence| CheckpointRow::new(sequence, "same", "same").with_output(varied(5_000));
    let rows: Vec<CheckpointRow> = (0..6).map(same).collect();
    for id in IDS {
        store.append_all(id, &rows).await?;
    }
    for id in IDS {
        store
            .holds(id, &rows, "of rows that are equal but for their sequence")
            .await?;
    }
    store.clear("second").await?;
    for id in ["first", "third"] {
        let when = "beside a run with the same blobs that was cleared";
        store.holds(id, &rows, when).await?;
    }
    Ok(())
}
