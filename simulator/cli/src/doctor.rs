//! `crashpoint doctor`: whether the file of a store is whole, and every log in it.

use std::io::Write;

use serde::Serialize;

use crate::arguments::StoredArguments;
use crate::exit::{Exit, Failure};
use crate::stored;
use crate::text::counted;

#[derive(Serialize)]
struct Report {
    version: u32,
    runs: u64,
    rows: u64,
    wrong: Vec<Wrong>,
}

#[derive(Serialize)]
struct Wrong {
    run: String,
    reason: String,
}

pub(crate) fn run(arguments: &StoredArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let mut reader = stored::open(&arguments.path)?;
    let mut report = Report {
        version: 1,
        runs: 0,
        rows: 0,
        wrong: Vec::new(),
    };
    stored::each_run(&mut reader, |run| {
        report.runs += 1;
        report.rows += run.rows.len() as u64;
        if let Err(reason) = run.status {
            report.wrong.push(Wrong {
                run: run.id,
                reason,
            });
        }
        Ok(())
    })?;
    let wrong = report.wrong.len() as u64;
    if arguments.json {
        writeln!(
            out,
            "{}",
            serde_json::to_string(&report).map_err(std::io::Error::from)?
        )?;
    } else {
        for Wrong { reason, .. } in &report.wrong {
            writeln!(out, "{}", stored::on_a_line(reason))?;
        }
        let (runs, rows) = (counted(report.runs, "run"), counted(report.rows, "row"));
        match wrong {
            0 => writeln!(out, "{runs}, {rows}: nothing is wrong")?,
            _ => writeln!(out, "{runs}, {rows}; wrong: {}", counted(wrong, "run"))?,
        }
    }
    Ok(if wrong > 0 { Exit::Safety } else { Exit::Clean })
}
