//! Certificates of stores: what came of the laws of the conformance kit, gathered from the lines that
//! tests have left (`crashpoint report`) or run here (`crashpoint certify`), and shown.

pub mod badge;
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

use crate::arguments::Shape;
use crate::exit::{Exit, Failure};
use crate::page::File;

/// How many remarks are told one by one.
pub(crate) const REMARKS_MAX: usize = 20;

/// The files that are written beside what is printed; that they can be is known before the work.
struct Files {
    html: Option<File>,
    badge: Option<File>,
    junit: Option<File>,
}

impl Files {
    fn create(shape: &Shape) -> Result<Self, Failure> {
        let create = |path: &Option<PathBuf>| path.as_deref().map(File::create).transpose();
        Ok(Self {
            html: create(&shape.html)?,
            badge: create(&shape.badge)?,
            junit: create(&shape.junit)?,
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

/// Shows reports in the shape asked for; `json` is what a program is told.
fn show(
    merged: &Merged,
    shape: &Shape,
    json: impl FnOnce(&Merged) -> String,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if shape.json {
        writeln!(out, "{}", json(merged))?;
    } else if shape.markdown {
        write!(out, "{}", markdown::of_all(merged))?;
    } else {
        table::all(merged, shape.laws, out)?;
    }
    Ok(())
}

/// What reports amount to, the gravest first: a law that is broken, then whatever keeps from knowing.
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

/// The remarks that are told, and how many more there are.
pub(crate) fn told(remarks: &[Remark]) -> (&[Remark], usize) {
    let told = remarks.len().min(REMARKS_MAX);
    (&remarks[..told], remarks.len() - told)
}
