//! `crashpoint show`: prints the log of a run, row by row.

use std::io::Write;

use crashpoint::CheckpointRow;
use crashpoint_simulator::render;
use serde::Serialize;

use crate::arguments::{ShowArguments, StoredArguments};
use crate::exit::{Exit, Failure};
use crate::store::{self, StoredRun};
use crate::text::{escape, grouped, instant};

#[derive(Serialize)]
struct RunLog<'a> {
    version: u32,
    run: &'a str,
    workflow: Option<&'a str>,
    workflow_version: Option<u32>,
    phase: Option<&'static str>,
    state: Option<String>,
    lives: Option<u64>,
    started_unix_ms: Option<u64>,
    error: Option<&'a str>,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    sequence: u64,
    kind: &'static str,
    state: &'a str,
    task: &'a str,
    blob_bytes: Option<usize>,
}

pub(crate) fn run(arguments: &ShowArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ShowArguments {
        stored: StoredArguments { path, json },
        id,
    } = arguments;
    let mut reader = store::open(path)?;
    let run = store::run(&mut reader, id.clone())?;
    let Some(run) = run else {
        return Err(Failure::Usage(format!("no run {id:?} in this store")));
    };
    match json {
        true => {
            let json = escape::json(&run_log(&run)).map_err(std::io::Error::from)?;
            writeln!(out, "{json}")?;
        }
        false => print(&run, out)?,
    }
    Ok(match run.status {
        Ok(_) => Exit::Clean,
        Err(_) => Exit::Safety,
    })
}

fn print(run: &StoredRun, out: &mut impl Write) -> Result<(), Failure> {
    let id = render::escaped(&run.id);
    match &run.status {
        Err(reason) => writeln!(out, "{id}: {}", escape::message(reason))?,
        Ok(status) => {
            let (phase, state) = store::phase(&status.phase);
            let started = instant(status.started_unix_ms);
            let (workflow, state) = (render::escaped(&status.workflow), render::escaped(&state));
            let lives = match status.lives {
                1 => "1 life".to_owned(),
                lives => format!("{} lives", grouped(lives)),
            };
            let version = status.version;
            writeln!(
                out,
                "{id}: {workflow} {version}, {lives}, started {started}"
            )?;
            writeln!(out, "{}", format!("{phase} {state}").trim_end())?;
        }
    }
    for line in render::log(&run.rows) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn run_log(run: &StoredRun) -> RunLog<'_> {
    let status = run.status.as_ref().ok();
    let stands = status.map(|status| store::phase(&status.phase));
    let (phase, state) = stands.unzip();
    RunLog {
        version: 1,
        run: &run.id,
        workflow: status.map(|status| &*status.workflow),
        workflow_version: status.map(|status| status.version),
        phase,
        state,
        lives: status.map(|status| status.lives),
        started_unix_ms: status.map(|status| status.started_unix_ms),
        error: run.status.as_ref().err().map(String::as_str),
        rows: run.rows.iter().zip(&run.blob_bytes).map(row).collect(),
    }
}

fn row<'a>((row, blob_bytes): (&'a CheckpointRow, &Option<usize>)) -> Row<'a> {
    Row {
        sequence: row.sequence,
        kind: row.kind.as_str(),
        state: &row.state,
        task: &row.task_id,
        blob_bytes: *blob_bytes,
    }
}
