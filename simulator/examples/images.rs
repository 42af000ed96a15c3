//! Crash images of the embedded store in full: longer scripts than the test suite has, every crash
//! of theirs and of their recoveries, and every crash after an error of the disk at every call.
//!
//! It takes a minute and 750 megabytes in a release build, so the test suite has shorter scripts.
//! Exits with 1 where a promise is broken.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crashpoint_simulator::images::{Embedded, Exploration, Modes, Report, Script};

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let (mut images, mut violations) = (0, 0);
    let mut tell = |what: &str, report: &Report| {
        images += report.total().images;
        violations += report.violations_total;
        writeln!(out, "## {what}\n{report}\n")?;
        for violation in &report.violations {
            writeln!(out, "{violation}\n")?;
        }
        out.flush()
    };
    let (mixed, appends) = (Script::mixed(), Script::appends(40));
    let batches = Script::batches();
    let exploration = Exploration::of(&batches, &Embedded);
    tell(
        "batches, within recovery",
        &exploration.within_recovery().explore(),
    )?;
    tell(
        "batches, every error, whatever is left",
        &exploration.every_error(),
    )?;
    let exploration = Exploration::of(&mixed, &Embedded);
    tell(
        "mixed, within recovery",
        &exploration.within_recovery().explore(),
    )?;
    tell(
        "mixed, every error",
        &exploration.modes(Modes::Plain).every_error(),
    )?;
    let exploration = Exploration::of(&appends, &Embedded);
    tell(
        "40 transactions, within recovery",
        &exploration.within_recovery().explore(),
    )?;
    tell(
        "40 transactions, every error",
        &exploration.modes(Modes::Plain).every_error(),
    )?;
    writeln!(
        out,
        "crash images: {images} images, {violations} violations"
    )?;
    Ok(ExitCode::from(u8::from(violations > 0)))
}
