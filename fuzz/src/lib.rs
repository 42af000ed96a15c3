//! Fuzz targets of Crashpoint. Each is an ordinary function from bytes that panics if a property does
//! not hold, so plain `cargo test` replays a corpus. The feature `libfuzzer` builds the binaries that
//! run these functions under libFuzzer.
//!
//! | target | input | check |
//! |---|---|---|
//! | [`crash_schedule`] | a tape: a workload, drawn or built in, and its faults | the oracles of the simulator |
//! | [`damaged_file`] | edits to the file of a store | [`check_damaged_file`] |
//! | [`journal_lines`] | the lines that the kit's tests leave behind | [`check_journal_lines`] |
//! | [`kept_text`] | a tape, a token, a schedule in words, an export of logs | [`check_kept_text`], [`check_export`] |
//! | [`rebuild_rows`] | a log: its rows, or choices of a legal log and edits to it | [`check_rebuild`] |
//! | [`redb_power_loss`] | a tape: a script, a disk fault, one or two crashes | the logs that the store's answers leave possible |
//! | [`row_codec`] | rows, and their values in the embedded store | [`check_codec`] |
//! | [`store_ops`] | a tape: operations on the embedded store | the same answers as the store in memory |

mod crash_schedule;
mod damaged_file;
mod edited_log;
mod inline;
mod journal_lines;
mod kept_text;
mod logs;
mod rebuild_rows;
mod redb_power_loss;
mod row_bytes;
mod row_codec;
mod store_ops;

pub use crash_schedule::{crash_schedule, crash_schedule_without};
pub use damaged_file::{Shown, check_damaged_file, damaged_file};
pub use journal_lines::{Lines, check_journal_lines, journal_lines};
pub use kept_text::{Read, check_export, check_kept_text, export, kept_text};
pub use logs::{Log, logs};
pub use rebuild_rows::{Verdict, check_rebuild, rebuild_rows, rows};
pub use redb_power_loss::{check_power_loss, redb_power_loss};
pub use row_bytes::write_rows;
pub use row_codec::{Decoded, check_codec, row_codec};
pub use store_ops::{OpenStore, check_store_ops, embedded, store_ops};

/// A named input that belongs to every corpus of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The name of its file.
    pub name: String,
    /// The input.
    pub input: Vec<u8>,
}

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of the target and of its corpus folder.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&[u8]),
    /// The inputs that its corpus must have.
    pub seeds: fn() -> Vec<Seed>,
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target {
        name: "crash_schedule",
        run: |input| drop(crash_schedule(input)),
        seeds: crash_schedule::seeds,
    },
    Target {
        name: "damaged_file",
        run: |input| _ = damaged_file(input),
        seeds: damaged_file::seeds,
    },
    Target {
        name: "journal_lines",
        run: |input| _ = journal_lines(input),
        seeds: journal_lines::seeds,
    },
    Target {
        name: "kept_text",
        run: |input| _ = kept_text(input),
        seeds: kept_text::seeds,
    },
    Target {
        name: "rebuild_rows",
        run: |input| _ = rebuild_rows(input),
        seeds: logs::seeds,
    },
    Target {
        name: "redb_power_loss",
        run: redb_power_loss,
        seeds: redb_power_loss::seeds,
    },
    Target {
        name: "row_codec",
        run: |input| _ = row_codec(input),
        seeds: row_codec::seeds,
    },
    Target {
        name: "store_ops",
        run: |input| _ = store_ops(input),
        seeds: store_ops::seeds,
    },
];
