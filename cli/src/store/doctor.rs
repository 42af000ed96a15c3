//! `crashpoint doctor`: checks the file of a store and every log in it.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::arguments::StoredArguments;
use crate::exit::{Exit, Failure};
use crate::store;
use crate::text::{counted, escape};

#[derive(Serialize)]
struct DoctorReport {
    version: u32,
    healthy: bool,
    runs: u64,
    rows: u64,
    /// Why the file, or the rest of it, can't be read. Runs and rows read until then are counted.
    problem: Option<String>,
    wrong: Vec<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    run: String,
    reason: String,
}

pub(crate) fn run(arguments: &StoredArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let StoredArguments { path, json } = arguments;
    let mut report = DoctorReport {
        version: 1,
        healthy: false,
        runs: 0,
        rows: 0,
        problem: None,
        wrong: Vec::new(),
    };
    match examine(path, &mut report) {
        // A damaged file is the finding, not a failure of the command.
        Err(Failure::Store(problem)) => report.problem = Some(problem),
        examined => examined?,
    }
    assert!(
        report.wrong.len() as u64 <= report.runs,
        "each run is examined once, and counted"
    );
    report.healthy = report.problem.is_none() && report.wrong.is_empty();
    let exit = if report.healthy {
        Exit::Clean
    } else {
        Exit::Safety
    };
    if *json {
        let json = escape::json(&report).map_err(std::io::Error::from)?;
        writeln!(out, "{json}")?;
        return Ok(exit);
    }
    for Wrong { reason, .. } in &report.wrong {
        writeln!(out, "{}", escape::message(reason))?;
    }
    if let Some(problem) = report.problem {
        return Err(Failure::Store(problem));
    }
    let (runs, rows) = (counted(report.runs, "run"), counted(report.rows, "row"));
    match report.wrong.len() as u64 {
        0 => writeln!(out, "{runs}, {rows}: no problem found")?,
        wrong => writeln!(out, "{runs}, {rows}; invalid: {}", counted(wrong, "run"))?,
    }
    Ok(exit)
}

fn examine(path: &Path, report: &mut DoctorReport) -> Result<(), Failure> {
    store::each_run(&mut store::open(path)?, |run| {
        report.runs += 1;
        report.rows += run.rows.len() as u64;
        if let Err(reason) = run.status {
            report.wrong.push(Wrong {
                run: run.id,
                reason,
            });
        }
        Ok(())
    })
}
