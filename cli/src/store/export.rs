//! `crashpoint export`: writes the logs of a store as lines of JSON.

use std::io::{self, BufWriter, Write};

use crashpoint::{ExportWriter, Payloads, RedbReader, StatusPhase};

use crate::arguments::ExportArguments;
use crate::exit::{Exit, Failure};
use crate::store::{self, StoredRun};
use crate::text::escape;

pub(crate) fn run(arguments: &ExportArguments, out: &mut impl Write) -> Result<Exit, Failure> {
    let ExportArguments {
        path,
        unfinished,
        redact,
    } = arguments;
    let payloads = match redact {
        true => Payloads::Redacted,
        false => Payloads::Kept,
    };
    let mut reader = store::open(path)?;
    let mut export = ExportWriter::new(BufWriter::new(out), payloads)?;
    let mut exit = Exit::Clean;
    let mut last = None;
    while let Some(ids) = store::next_ids(&mut reader, last.as_deref())? {
        last = ids.last().cloned();
        for id in ids {
            let Some(run) = store::run(&mut reader, id)? else {
                continue;
            };
            match &run.status {
                // Its rows can't all be read. A log that only breaks the rules is exported.
                Err(reason) if run.rows.is_empty() => {
                    exit = Exit::Safety;
                    // If standard error is gone, the exit code still says so.
                    let reason = escape::message(reason);
                    _ = writeln!(io::stderr(), "error: a run is left out: {reason}");
                }
                _ if *unfinished && has_ended(&run) => {}
                _ => write(&mut reader, &run.id, &mut export)?,
            }
        }
    }
    export.finish()?;
    Ok(exit)
}

fn has_ended(run: &StoredRun) -> bool {
    let phase = run.status.as_ref().map(|status| &status.phase);
    matches!(
        phase,
        Ok(StatusPhase::Done { .. } | StatusPhase::RolledBack)
    )
}

/// Writes a run, one row at a time.
fn write<W: Write>(
    reader: &mut RedbReader,
    id: &str,
    export: &mut ExportWriter<W>,
) -> Result<(), Failure> {
    let mut written = export.begin_run(id);
    let visited = reader.visit_run(id, |row| {
        if written.is_ok() {
            written = export.row(row);
        }
    });
    visited.map_err(|error| store::failure(&error))?;
    Ok(written?)
}
