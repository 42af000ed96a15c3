//! The file of an embedded store, as `doctor`, `runs` and `show` read it. None writes to it.

pub(crate) mod doctor;
pub(crate) mod runs;
pub(crate) mod show;

use std::path::Path;

use crashpoint::{CheckpointRow, Error, RedbReader, Status, StatusPhase, StoreErrorKind};
use crashpoint_simulator::render;

use crate::exit::{Exit, Failure};

/// The number of ids read at a time.
const PAGE: usize = 1000;

/// A run in a store.
pub(crate) struct StoredRun {
    pub(crate) id: String,
    /// The rows; empty if one is damaged.
    pub(crate) rows: Vec<CheckpointRow>,
    /// The status, or what is wrong with the log.
    pub(crate) status: Result<Status, String>,
}

/// Opens the file.
pub(crate) fn open(path: &Path) -> Result<RedbReader, Failure> {
    RedbReader::open(path).map_err(|error| match error.store_error().map(Exit::of_unopened) {
        Some(Exit::Usage) => Failure::Usage(error.to_string()),
        _ => failure(&error),
    })
}

/// Calls `each` with every run, in the order of ids.
pub(crate) fn each_run(
    reader: &mut RedbReader,
    mut each: impl FnMut(StoredRun) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut last: Option<String> = None;
    loop {
        let ids = reader.run_ids(last.as_deref(), PAGE);
        let ids = ids.map_err(|error| failure(&error))?;
        let Some(greatest) = ids.last() else {
            return Ok(());
        };
        // A file can hold anything; without this check a damaged one could be listed for ever.
        if !ids.is_sorted() || ids.first() <= last.as_ref() {
            let message = "the store lists its runs out of order";
            return Err(Failure::Store(message.to_owned()));
        }
        last = Some(greatest.clone());
        for id in ids {
            if let Some(run) = run(reader, id)? {
                each(run)?;
            }
        }
    }
}

/// One run, if the store has it.
pub(crate) fn run(reader: &mut RedbReader, id: String) -> Result<Option<StoredRun>, Failure> {
    let (rows, status) = match reader.load_run(&id) {
        Ok(rows) if rows.is_empty() => return Ok(None),
        Ok(rows) => {
            let status = Status::of_log(&id, &rows).map_err(|error| error.to_string());
            (rows, status)
        }
        // A damaged row affects one run; a file that can't be read affects all.
        Err(error) if kind_of(&error) == Some(StoreErrorKind::Damaged) => {
            (Vec::new(), Err(error.to_string()))
        }
        Err(error) => return Err(failure(&error)),
    };
    Ok(Some(StoredRun { id, rows, status }))
}

/// The phase of a run in a word or two, and its state or its tasks.
pub(crate) fn phase(phase: &StatusPhase) -> (&'static str, String) {
    match phase {
        StatusPhase::Running { state } => ("running", state.clone()),
        StatusPhase::RollingBack { pending } => ("rolling back", format!("{pending} to undo")),
        StatusPhase::Stuck { tasks } => ("stuck", tasks.join(", ")),
        StatusPhase::Done { state } => ("done", state.clone()),
        StatusPhase::RolledBack => ("rolled back", String::new()),
        _ => ("unknown", String::new()),
    }
}

fn kind_of(error: &Error) -> Option<StoreErrorKind> {
    error.store_error().map(crashpoint::StoreError::kind)
}

/// A reason as a single line. The ids in it are escaped already, so backslashes stay as they are.
pub(crate) fn single_line(reason: &str) -> String {
    let parts = reason.split('\\').map(render::escaped_line);
    parts.collect::<Vec<_>>().join("\\")
}

/// A finding: after the file was opened the call was correct, so any failure is about the file.
fn failure(error: &Error) -> Failure {
    Failure::Store(error.to_string())
}
