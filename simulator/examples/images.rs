//! Crash images of the embedded store in full: longer scripts than the test suite has, every crash
//! of theirs and of their recoveries, and every crash after an error of the disk at every call.
//!
//! It takes two minutes and 2.4 gigabytes in a release build, so the test suite has shorter scripts.
//! Exits with 1 where a promise is broken.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crashpoint_simulator::images::{Count, Embedded, Exploration, ImagesReport, Script};

fn main() -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let (mut images, mut opened, mut violations) = (0, 0, 0);
    let mut tell = |what: &str, report: &ImagesReport| {
        let Count {
            images: all,
            merged,
        } = report.total();
        images += all;
        opened += all - merged;
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
    tell("batches, every error", &exploration.every_error())?;
    let exploration = Exploration::of(&mixed, &Embedded);
    tell(
        "mixed, within recovery",
        &exploration.within_recovery().explore(),
    )?;
    tell("mixed, every error", &exploration.every_error())?;
    let exploration = Exploration::of(&appends, &Embedded);
    tell(
        "40 transactions, within recovery",
        &exploration.within_recovery().explore(),
    )?;
    tell("40 transactions, every error", &exploration.every_error())?;
    writeln!(
        out,
        "crash images: {images} images, {opened} of them opened and the others equal to one of these, \
         {violations} violations"
    )?;
    Ok(ExitCode::from(u8::from(violations > 0)))
}
