//! Writes an export, row by row.

use std::io::{self, Write};

use crate::core::CheckpointRow;
use crate::export::VERSION;
use crate::export::line::{End, Header, Line, RowLine, RunLine};
use crate::export::redact::redacted;

/// What an export says of the user's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// Inputs, outputs, cursors and messages of errors are in it.
    Kept,
    /// They are not. Ids of runs, names of states and tasks, and times are.
    Redacted,
}

/// Writes logs as text: a line of JSON for each run and for each row. It keeps no row.
///
/// ```
/// use crashpoint::{CheckpointRow, ExportWriter, Payloads};
///
/// let mut text = Vec::new();
/// let mut export = ExportWriter::new(&mut text, Payloads::Kept)?;
/// export.begin_run("run-1")?;
/// export.row(CheckpointRow::new(0, "Start", "fetch"))?;
/// export.finish()?;
/// assert_eq!(
///     String::from_utf8_lossy(&text).lines().nth(2),
///     Some(r#"{"row":{"sequence":0,"kind":"state_entry","state":"Start","task":"fetch"}}"#),
/// );
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "an export without its end is read as cut"]
pub struct ExportWriter<W> {
    writer: W,
    payloads: Payloads,
    runs: u64,
    rows: u64,
}

impl<W: Write> ExportWriter<W> {
    /// Begins an export.
    ///
    /// # Errors
    ///
    /// If the writer fails; so do the other methods.
    pub fn new(mut writer: W, payloads: Payloads) -> io::Result<Self> {
        let header = Header {
            version: VERSION,
            redacted: payloads == Payloads::Redacted,
        };
        Line::Export(header).write(&mut writer)?;
        Ok(Self {
            writer,
            payloads,
            runs: 0,
            rows: 0,
        })
    }

    /// Begins a run. The rows that follow are its log.
    ///
    /// # Errors
    ///
    /// If the writer fails.
    pub fn begin_run(&mut self, workflow_id: &str) -> io::Result<()> {
        self.runs += 1;
        let id = workflow_id.to_owned();
        Line::Run(RunLine { id }).write(&mut self.writer)
    }

    /// Writes the next row of the run.
    ///
    /// # Errors
    ///
    /// If the writer fails.
    ///
    /// # Panics
    ///
    /// If no run has begun.
    pub fn row(&mut self, row: CheckpointRow) -> io::Result<()> {
        assert!(self.runs > 0, "a row belongs to a run that has begun");
        self.rows += 1;
        let row = match self.payloads {
            Payloads::Kept => row,
            Payloads::Redacted => redacted(row),
        };
        Line::Row(RowLine::from(row)).write(&mut self.writer)
    }

    /// Ends the export and flushes it. An export without its end is refused when it is read.
    ///
    /// # Errors
    ///
    /// If the writer fails.
    pub fn finish(mut self) -> io::Result<()> {
        let (runs, rows) = (self.runs, self.rows);
        Line::End(End { runs, rows }).write(&mut self.writer)?;
        self.writer.flush()
    }
}
