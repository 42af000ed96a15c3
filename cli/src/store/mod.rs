//! The file of an embedded store, as `doctor`, `export`, `runs` and `show` read it. None writes to
//! it.

pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod runs;
pub(crate) mod show;

use std::path::Path;

use crashpoint::{CheckpointRow, Error, RedbReader, RowKind, Status, StatusPhase, StoreErrorKind};

use crate::exit::{Exit, Failure};

/// The number of ids read at a time.
const PAGE: usize = 1000;

/// A run in a store.
pub(crate) struct StoredRun {
    pub(crate) id: String,
    /// The rows, each with the beginning of its output or cursor; empty if one is damaged.
    pub(crate) rows: Vec<CheckpointRow>,
    /// The number of bytes of the blob of each row, if it has one.
    pub(crate) blob_bytes: Vec<Option<usize>>,
    /// The status, or what is wrong with the log.
    pub(crate) status: Result<Status, String>,
}

/// Opens the file.
pub(crate) fn open(path: &Path) -> Result<RedbReader, Failure> {
    RedbReader::open(path).map_err(|error| unopened(&error))
}

/// Why a file was not opened: a usage error, or a finding about the file.
pub(crate) fn unopened(error: &Error) -> Failure {
    match error.store_error().map(Exit::of_unopened) {
        Some(Exit::Usage) => Failure::Usage(error.to_string()),
        _ => failure(error),
    }
}

/// Calls `each` with every run, in the order of ids.
pub(crate) fn each_run(
    reader: &mut RedbReader,
    mut each: impl FnMut(StoredRun) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut last: Option<String> = None;
    while let Some(ids) = next_ids(reader, last.as_deref())? {
        last = ids.last().cloned();
        for id in ids {
            if let Some(run) = run(reader, id)? {
                each(run)?;
            }
        }
    }
    Ok(())
}

/// The next ids, in order, each greater than `last`; none after the last id of the store.
pub(crate) fn next_ids(
    reader: &mut RedbReader,
    last: Option<&str>,
) -> Result<Option<Vec<String>>, Failure> {
    let ids = reader.run_ids(last, PAGE);
    let ids = ids.map_err(|error| failure(&error))?;
    // A file can hold anything; without this check a damaged one could be listed for ever.
    if !ids.is_sorted() || ids.first().is_some_and(|first| Some(&**first) <= last) {
        let message = "the store lists its runs out of order";
        return Err(Failure::Store(message.to_owned()));
    }
    Ok((!ids.is_empty()).then_some(ids))
}

/// One run, if the store has it.
pub(crate) fn run(reader: &mut RedbReader, id: String) -> Result<Option<StoredRun>, Failure> {
    let (mut rows, mut blob_bytes) = (Vec::new(), Vec::new());
    let visited = reader.visit_run(&id, |mut row| {
        blob_bytes.push(row.output_blob.as_ref().map(Vec::len));
        shorten(&mut row);
        rows.push(row);
    });
    let status = match visited {
        Ok(()) if rows.is_empty() => return Ok(None),
        Ok(()) => Status::of_log(&id, &rows).map_err(|error| error.to_string()),
        // A damaged row affects one run; a file that can't be read affects all.
        Err(error) if kind_of(&error) == Some(StoreErrorKind::Damaged) => {
            rows.clear();
            blob_bytes.clear();
            Err(error.to_string())
        }
        Err(error) => return Err(failure(&error)),
    };
    Ok(Some(StoredRun {
        id,
        rows,
        blob_bytes,
        status,
    }))
}

/// Forgets all but the beginning of an output or a cursor, so that a log needs little memory whatever
/// its tasks returned. No rule of a log looks into these bytes, and a line shows fewer.
fn shorten(row: &mut CheckpointRow) {
    const KEPT_BYTES: usize = 1024;
    let is_opaque = matches!(
        row.kind,
        RowKind::CompensationCompletion | RowKind::TaskOutput | RowKind::StepCursor
    );
    if let Some(blob) = row.output_blob.as_mut().filter(|_| is_opaque) {
        blob.truncate(KEPT_BYTES);
        blob.shrink_to_fit();
    }
}

/// The phase of a run in a word or two, and its state or its tasks.
pub(crate) fn phase(phase: &StatusPhase) -> (&'static str, String) {
    match phase {
        StatusPhase::Running { state } => ("running", state.clone()),
        StatusPhase::Waiting {
            state,
            deadline_unix_ms,
        } => ("waiting", format!("{state}, until {deadline_unix_ms} ms")),
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

/// A finding: after the file was opened the call was correct, so any failure is about the file.
pub(crate) fn failure(error: &Error) -> Failure {
    Failure::Store(error.to_string())
}
