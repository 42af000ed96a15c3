//! Fuzz targets of Crashpoint. Each is an ordinary function from bytes that panics where a promise
//! does not hold, so that a corpus replays under plain `cargo test`; the binaries that drive the
//! functions with libFuzzer are behind the feature `libfuzzer`.
//!
//! | target | what it is given | what it holds against it |
//! |---|---|---|
//! | [`crash_schedule`] | a tape: a workload, drawn or not, and all that goes wrong | the oracles of the simulator |
//! | [`rebuild_rows`] | a log: spelt out, or a legal one that is then edited | [`check_rebuild`] |
//! | [`redb_power_loss`] | a tape: a script, a fault of the disk, one or two crashes | what the store's answers leave possible |
//! | [`row_codec`] | rows, and the values that the embedded store has for them | [`check_codec`] |
//! | [`store_ops`] | a tape: operations on the embedded store | a map of maps |

mod crash_schedule;
mod inline;
mod logs;
mod program;
mod rebuild_rows;
mod redb_power_loss;
mod row_codec;
mod spelling;
mod store_ops;

pub use crash_schedule::{crash_schedule, crash_schedule_without};
pub use logs::{Log, logs};
pub use rebuild_rows::{Verdict, check_rebuild, rebuild_rows, rows};
pub use redb_power_loss::{check_power_loss, redb_power_loss};
pub use row_codec::{Decoded, check_codec, row_codec};
pub use spelling::spell;
pub use store_ops::{OpenStore, check_store_ops, embedded, store_ops};

/// A named input that a corpus begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The name of its file.
    pub name: String,
    /// The input.
    pub input: Vec<u8>,
}

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its corpus too.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&[u8]),
    /// What its corpus begins with.
    pub seeds: fn() -> Vec<Seed>,
}

/// Every target.
pub const TARGETS: [Target; 5] = [
    Target {
        name: "crash_schedule",
        run: |input| drop(crash_schedule(input)),
        seeds: crash_schedule::seeds,
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
