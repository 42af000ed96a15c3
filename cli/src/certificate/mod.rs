//! Certificates of stores: results of the laws of the conformance kit, read from files that tests left
//! behind (`crashpoint report`) or run here (`crashpoint certify`).

mod against;
pub mod badge;
mod beside;
mod certify;
mod gather;
pub mod junit;
pub mod markdown;
mod page;
mod removable;
mod stores;
mod table;
mod words;

use std::io::Write;
use std::path::PathBuf;

use crashpoint_conformance::{Merged, Outcome, Remark};

pub(crate) use certify::run as certify;
pub(crate) use gather::run as report;
pub use page::of_certificates;

use crate::arguments::OutputArguments;
use crate::exit::{Exit, Failure};
use crate::page::File;

/// The number of remarks printed one by one.
pub(crate) const REMARKS_MAX: usize = 20;

/// The files to write. They are created before the work, so that a bad path fails early.
struct Files {
    html: Option<File>,
    badge: Option<File>,
    junit: Option<File>,
}

impl Files {
    fn create(output: &OutputArguments) -> Result<Self, Failure> {
        let OutputArguments {
            html,
            badge,
            junit,
            // What is printed is no file.
            json: _,
            markdown: _,
            laws: _,
        } = output;
        let create = |path: &Option<PathBuf>| path.as_deref().map(File::create).transpose();
        Ok(Self {
            html: create(html)?,
            badge: create(badge)?,
            junit: create(junit)?,
        })
    }

    fn write(self, merged: &Merged) -> Result<(), Failure> {
        if let Some(file) = self.html {
            file.write(&of_certificates(merged))?;
        }
        if let Some(file) = self.badge {
            file.write(&badge::of_all(&merged.reports))?;
        }
        if let Some(file) = self.junit {
            file.write(&junit::of_all(&merged.reports))?;
        }
        Ok(())
    }
}

/// Prints reports in the requested form; `json` makes the JSON.
fn show(
    merged: &Merged,
    output: &OutputArguments,
    json: impl FnOnce(&Merged) -> String,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if output.json {
        writeln!(out, "{}", json(merged))?;
    } else if output.markdown {
        write!(out, "{}", markdown::of_all(merged))?;
    } else {
        table::all(merged, output.laws, out)?;
    }
    Ok(())
}

/// The exit for these reports: a broken law first, then incomplete results.
fn exit(merged: &Merged) -> Exit {
    let any = |outcome| {
        merged
            .reports
            .iter()
            .any(|report| report.outcome() == outcome)
    };
    if any(Outcome::Failed) {
        Exit::Safety
    } else if any(Outcome::Incomplete) || merged.remarks.iter().any(|remark| remark.is_damage) {
        Exit::Harness
    } else {
        Exit::Clean
    }
}

/// The remarks to print, and the number of the others.
pub(crate) fn shown_remarks(remarks: &[Remark]) -> (&[Remark], usize) {
    let shown = remarks.len().min(REMARKS_MAX);
    (&remarks[..shown], remarks.len() - shown)
}
