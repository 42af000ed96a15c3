//! The target `damaged_file`: whatever happened to the bytes of a store's file, its reader never panics,
//! never shows a row that was not written, and changes no byte.
//!
//! An input is a list of edits to the file of a store with three runs.

use std::path::Path;
use std::sync::OnceLock;

use crashpoint::{CheckpointRow, CheckpointStore as _, Error, RedbCheckpointStore, RedbReader};
use futures_util::FutureExt as _;

use crate::Seed;
use crate::inline::Inline;

/// Bytes of an edit: what is done, an offset, and a value.
const EDIT_BYTES: usize = 6;

/// The most edits of an input.
const EDITS_MAX: usize = 16;

const PAGE_BYTES: usize = 4096;

const RUNS: [&str; 3] = ["order-1", "order-2", "order-3"];

/// What the reader of an edited file showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// Whether the file was opened.
    pub opened: bool,
    /// Rows that were shown, each as it was written.
    pub rows: usize,
    /// Runs that were refused.
    pub refused: usize,
}

/// Edits the file as `input` says, and reads it.
///
/// # Panics
///
/// As [`check_damaged_file`] says.
pub fn damaged_file(input: &[u8]) -> Shown {
    check_damaged_file(input, |path, run| RedbReader::open(path)?.load_run(run))
}

/// Checks a reader of runs.
///
/// # Panics
///
/// If the reader panics, shows a row that was not written, or changes the file.
pub fn check_damaged_file(
    input: &[u8],
    load: impl Fn(&Path, &str) -> Result<Vec<CheckpointRow>, Error>,
) -> Shown {
    let edited = edited(&original(), input);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    std::fs::write(&path, &edited).expect("a file");
    let mut shown = Shown::default();
    for run in RUNS {
        match load(&path, run) {
            Ok(rows) => {
                shown.opened = true;
                for row in rows {
                    let written =
                        usize::try_from(row.sequence).map(|at| rows_of(run).get(at) == Some(&row));
                    assert_eq!(
                        written,
                        Ok(true),
                        "run {run} shows a row that was not written: {row:?}"
                    );
                    shown.rows += 1;
                }
            }
            Err(_) => shown.refused += 1,
        }
    }
    let after = std::fs::read(&path).expect("the file is there");
    let changed = after
        .iter()
        .zip(&edited)
        .position(|(after, before)| after != before);
    assert!(
        after == edited,
        "a reader changes no byte, and changed byte {changed:?} or the length"
    );
    shown
}

/// The rows of a run: short, with an empty blob, and over several pages.
fn rows_of(run: &str) -> Vec<CheckpointRow> {
    let blobs = [None, Some(0), Some(100), Some(9_000)];
    let row = |(sequence, blob): (u64, &Option<usize>)| {
        let row = CheckpointRow::new(sequence, format!("State{sequence}"), run);
        match blob {
            Some(length) => row.with_output(vec![sequence as u8 + 1; *length]),
            None => row,
        }
    };
    (0..).zip(blobs.iter().cycle().take(8)).map(row).collect()
}

/// The file of a store with three runs, closed.
fn original() -> Vec<u8> {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let store = RedbCheckpointStore::with_runtime(&path, Inline).expect("a fresh file");
        for run in RUNS {
            for row in rows_of(run) {
                let appended = store.append(run, row).now_or_never();
                appended
                    .expect("the work is done inline")
                    .expect("a free sequence");
            }
        }
        drop(store);
        std::fs::read(&path).expect("the file is there")
    })
    .clone()
}

/// The file with the edits of an input.
fn edited(file: &[u8], input: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    for edit in input.chunks_exact(EDIT_BYTES).take(EDITS_MAX) {
        let [kind, a, b, c, d, value] = edit else {
            unreachable!("a chunk is {EDIT_BYTES} bytes long")
        };
        let Some(last) = file.len().checked_sub(1) else {
            break;
        };
        let at = u32::from_le_bytes([*a, *b, *c, *d]) as usize % (last + 1);
        let page = at / PAGE_BYTES * PAGE_BYTES;
        let end = (page + PAGE_BYTES).min(file.len());
        match kind % 6 {
            0 => file[at] ^= 1 << (value % 8),
            1 => file[at] = *value,
            2 => file[page..end].fill(*value),
            3 => file.truncate(at),
            4 => file.extend(std::iter::repeat_n(0, usize::from(*value) * 16)),
            // A page that was written to the wrong place.
            _ => {
                let from = usize::from(*value) * PAGE_BYTES % file.len();
                let length = (end - page).min(file.len() - from);
                file.copy_within(from..from + length, page);
            }
        }
    }
    file
}

pub(crate) fn seeds() -> Vec<Seed> {
    let seed = |name: &str, edits: &[[u8; EDIT_BYTES]]| Seed {
        name: name.to_owned(),
        input: edits.concat(),
    };
    vec![
        seed("a-flipped-bit-in-the-header", &[[0, 9, 0, 0, 0, 0]]),
        seed("a-flipped-bit-in-a-page", &[[0, 0, 0x21, 0, 0, 3]]),
        seed("a-page-of-zeros", &[[2, 0, 0x20, 0, 0, 0]]),
        seed("a-page-in-a-wrong-place", &[[5, 0, 0x20, 0, 0, 5]]),
        seed("cut-off", &[[3, 0, 0x30, 0, 0, 0]]),
        seed("longer", &[[4, 0, 0, 0, 0, 255]]),
        seed("whole", &[]),
    ]
}
