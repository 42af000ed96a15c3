//! `crashpoint runs`: lists the runs of a store, one per line.

use std::io::Write;
use std::time::Duration;

use crashpoint::{Runtime as _, TokioRuntime};
use crashpoint_simulator::render;
use serde::Serialize;

use crate::arguments::{RunsArguments, StoredArguments};
use crate::exit::{Exit, Failure};
use crate::store::{self, StoredRun};
use crate::text::escape;

#[derive(Serialize)]
struct RunList {
    version: u32,
    runs: Vec<Line>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Run {
        run: String,
        workflow: String,
        workflow_version: u32,
        phase: &'static str,
        state: String,
        rows: u64,
        lives: u64,
        started_unix_ms: u64,
        age_ms: u64,
    },
    Wrong {
        run: String,
        error: String,
    },
}

pub(crate) fn run(arguments: &RunsArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let RunsArguments {
        stored: StoredArguments { path, json },
        at,
    } = arguments;
    let now = at.unwrap_or_else(|| TokioRuntime::new().unix_ms());
    let mut reader = store::open(path)?;
    let mut exit = Exit::Clean;
    let mut runs = Vec::new();
    store::each_run(&mut reader, |run| {
        let line = line(run, now);
        if let Line::Wrong { .. } = line {
            exit = Exit::Safety;
        }
        if *json {
            runs.push(line);
            return Ok(());
        }
        // Printed one by one: a store may have millions.
        Ok(writeln!(out, "{line}")?)
    })?;
    if *json {
        let list = RunList { version: 1, runs };
        writeln!(
            out,
            "{}",
            escape::json(&list).map_err(std::io::Error::from)?
        )?;
    }
    Ok(exit)
}

fn line(run: StoredRun, now: u64) -> Line {
    let status = match run.status {
        Ok(status) => status,
        Err(error) => return Line::Wrong { run: run.id, error },
    };
    let (phase, state) = store::phase(&status.phase);
    Line::Run {
        run: run.id,
        workflow: status.workflow,
        workflow_version: status.version,
        phase,
        state,
        rows: status.rows,
        lives: status.lives,
        started_unix_ms: status.started_unix_ms,
        age_ms: now.saturating_sub(status.started_unix_ms),
    }
}

/// Columns for people and for `sort`: those of a fixed width come first.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run {
                run,
                workflow,
                workflow_version,
                phase,
                state,
                rows,
                lives,
                age_ms,
                ..
            } => {
                let age = Duration::from_secs(age_ms / 1000);
                let age = humantime::format_duration(age).to_string();
                let (run, workflow) = (render::escaped(run), render::escaped(workflow));
                let state = render::escaped(state);
                let line = format!(
                    "{phase:<12} rows {rows:<5} lives {lives:<3} age {age:<16} {run} of {workflow} \
                     {workflow_version}  {state}"
                );
                f.write_str(line.trim_end())
            }
            Self::Wrong { error, .. } => {
                write!(f, "{:<12} {}", "invalid", escape::message(error))
            }
        }
    }
}
