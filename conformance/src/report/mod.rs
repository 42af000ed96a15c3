//! What came of the laws: run by one call, or as tests that each leave a line behind.
//!
//! Both ways end in a [`Report`]. [`run_all`] makes one in this process. A test of
//! [`certify!`](crate::certify) knows of its own law alone, so it appends a line to a file, and
//! [`merge`] makes reports of the lines, whichever processes wrote them.

mod certificate;
pub(crate) mod journal;
mod json;
mod level;
mod line;
mod merge;
pub(crate) mod suite;
mod text;
mod whole;

pub use certificate::{LawReport, Outcome, Report};
pub use level::{HeldBack, Level, Rung};
pub use merge::{Merged, Remark, merge};
pub use suite::Name;
pub use whole::{run_all, run_while};

/// A line among the output of a test.
#[expect(
    clippy::print_stdout,
    reason = "an advisory finding has no other way out of a test"
)]
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}
