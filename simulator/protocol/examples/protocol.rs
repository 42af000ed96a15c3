//! The protocol check in full: three lives, one error of the store, one append that lands late, one
//! failing task and one failing undo, over both shapes; every interleaving of them.
//!
//! It takes about two minutes and 1.7 gigabytes, so the test suite has smaller scopes. Exits with 1 where
//! an invariant is broken.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crashpoint_protocol::{CheckReport, Replies, Scope, Shape, check};

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", CheckReport::HEADER)?;
    let mut broken = 0;
    for shape in [Shape::SteppedLoop { cursors: 1 }, Shape::Saga] {
        let report = check(&Scope {
            lives: 3,
            replies: Replies::AtOnce,
            store_errors: 1,
            late_appends: 1,
            task_failures: 1,
            undo_failures: 1,
            ..Scope::of(shape)
        });
        broken += report.violations.len();
        writeln!(out, "{report}")?;
        out.flush()?;
    }
    writeln!(out, "protocol check: {broken} violations")?;
    Ok(ExitCode::from(u8::from(broken > 0)))
}
