//! The file of a store, as the commands `doctor`, `runs` and `show` see it. It is only read.

pub(crate) mod doctor;
pub(crate) mod runs;
pub(crate) mod show;

use std::path::Path;

use crashpoint::{CheckpointRow, Error, RedbReader, Status, StatusPhase, StoreErrorKind};
use crashpoint_simulator::render;

use crate::exit::{Exit, Failure};

/// How many ids are asked for at a time.
const PAGE: usize = 1000;

/// A run as its log has it.
pub(crate) struct Stored {
    pub(crate) id: String,
    /// What there is to read of it; nothing where a row is damaged.
    pub(crate) rows: Vec<CheckpointRow>,
    /// How it stands, or what is wrong with its log.
    pub(crate) status: Result<Status, String>,
}

/// Opens the file.
pub(crate) fn open(path: &Path) -> Result<RedbReader, Failure> {
    RedbReader::open(path).map_err(|error| match error.store_error().map(Exit::of_unopened) {
        Some(Exit::Usage) => Failure::Usage(chain(&error)),
        _ => failure(&error),
    })
}

/// Shows each run to `each`, in the order of their ids.
pub(crate) fn each_run(
    reader: &mut RedbReader,
    mut each: impl FnMut(Stored) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut last: Option<String> = None;
    loop {
        let ids = reader.run_ids(last.as_deref(), PAGE);
        let ids = ids.map_err(|error| failure(&error))?;
        let Some(greatest) = ids.last() else {
            return Ok(());
        };
        last = Some(greatest.clone());
        for id in ids {
            if let Some(run) = run(reader, id)? {
                each(run)?;
            }
        }
    }
}

/// One run; none where the store does not have it.
pub(crate) fn run(reader: &mut RedbReader, id: String) -> Result<Option<Stored>, Failure> {
    let (rows, status) = match reader.load_run(&id) {
        Ok(rows) if rows.is_empty() => return Ok(None),
        Ok(rows) => {
            let status = Status::of_log(&id, &rows).map_err(|error| chain(&error));
            (rows, status)
        }
        // A row that is damaged is one run's; a file that can't be read is everybody's.
        Err(error) if kind_of(&error) == Some(StoreErrorKind::Damaged) => {
            (Vec::new(), Err(chain(&error)))
        }
        Err(error) => return Err(failure(&error)),
    };
    Ok(Some(Stored { id, rows, status }))
}

/// A word for where a run stands, and its state or its tasks.
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

/// What is wrong, on a line of its own. The ids in it are escaped already; escaping their backslashes
/// again would show names that nobody has.
pub(crate) fn on_a_line(reason: &str) -> String {
    let parts = reason.split('\\').map(render::escaped_line);
    parts.collect::<Vec<_>>().join("\\")
}

/// A finding: a file that was opened was called rightly, so that what fails then is its own.
fn failure(error: &Error) -> Failure {
    Failure::Store(chain(error))
}

/// An error with its reasons.
fn chain(error: &Error) -> String {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(reason) = source {
        let reason_words = reason.to_string();
        // Some messages have their reason in them already.
        if !message.contains(&reason_words) {
            message = format!("{message}: {reason_words}");
        }
        source = reason.source();
    }
    message
}
