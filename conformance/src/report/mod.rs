//! Reports on the laws.
//!
//! [`run_all`] runs the laws in this process and returns a [`Report`]. A test of
//! [`certify!`](crate::certify) knows only its own law, so it appends a line to a file, and [`merge`]
//! makes reports from the lines of all processes.

mod certificate;
pub(crate) mod journal;
mod json;
mod law_report;
mod level;
mod line;
mod merge;
pub(crate) mod suite;
mod text;
mod whole;

pub use certificate::{Outcome, Report};
pub use law_report::LawReport;
pub use level::{HeldBack, Level, Rung};
pub use merge::{Merged, Remark, merge};
pub use suite::Name;
pub use whole::{run_all, run_while};

/// Prints a line to the output of a test.
#[expect(
    clippy::print_stdout,
    reason = "a test can report an advisory finding only by printing"
)]
pub(crate) fn print_line(line: &str) {
    println!("{line}");
}
