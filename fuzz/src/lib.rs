//! Fuzz targets of Crashpoint. Each is an ordinary function from bytes that panics where a promise
//! does not hold, so that a corpus replays under plain `cargo test`; the binaries that drive the
//! functions with libFuzzer are behind the feature `libfuzzer`.
//!
//! | target | what it is given | what it holds against it |
//! |---|---|---|
//! | [`rebuild_rows`] | a log: spelt out, or a legal one that is then edited | [`check_rebuild`] |

mod program;
mod rebuild_rows;
mod seeds;
mod spelling;

pub use rebuild_rows::{Verdict, check_rebuild, rebuild_rows, rows};
pub use seeds::{Seed, seeds};
pub use spelling::spell;
