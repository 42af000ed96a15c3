//! Reads an export that anybody may have written, within limits.

use std::io::{self, BufRead, Read as _};

use crate::core::CheckpointRow;
use crate::export::VERSION;
use crate::export::line::{Line, RowLine};
use crate::export::writer::Payloads;
use crate::foreign::{bounded, quoted};

/// The most that is read of an export at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportLimits {
    /// The length of a line, in bytes, without its end. A blob has two characters for each byte.
    pub line_bytes: usize,
    /// The length of the lines of a run together, in bytes.
    pub run_bytes: usize,
}

impl Default for ExportLimits {
    /// 64 MiB for a line, 256 MiB for a run.
    fn default() -> Self {
        Self {
            line_bytes: 64 << 20,
            run_bytes: 256 << 20,
        }
    }
}

/// A log of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedRun {
    /// The id of the run.
    pub workflow_id: String,
    /// Its rows, in the order of the log.
    pub rows: Vec<CheckpointRow>,
    /// Whether the rows have their payloads.
    pub payloads: Payloads,
}

/// Why an export can't be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the export: {fault}")]
pub struct ExportError {
    /// The number of the line, from 1.
    pub line: u64,
    /// The fault.
    #[source]
    pub fault: ExportFault,
}

/// What is wrong with a line of an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportFault {
    /// The system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The line is longer than the limit.
    #[error("it is longer than the limit of {0} bytes")]
    LongLine(usize),
    /// The run is longer than the limit.
    #[error("run {} is longer than the limit of {run_bytes} bytes", quoted(.workflow_id))]
    LongRun {
        /// The id of the run.
        workflow_id: String,
        /// The limit.
        run_bytes: usize,
    },
    /// The line is not a line of an export.
    #[error("it is no line of an export: {}", bounded(.0))]
    NotALine(serde_json::Error),
    /// The text does not begin as an export.
    #[error("the text is not an export: it does not begin with a header")]
    NoHeader,
    /// The export has another version.
    #[error("it has version {0}, and this reader knows version {VERSION}")]
    Version(u32),
    /// A line is where it can't be: a second header, a row before a run, or a line after the end.
    #[error("a line of this kind can't be here")]
    Misplaced,
    /// A run has no row.
    #[error("run {} has no row", quoted(.0))]
    EmptyRun(String),
    /// The text ends before the end of the export: it was cut.
    #[error("the export has no end: it was cut")]
    Cut,
    /// The end counts other runs and rows than there are: lines were lost.
    #[error(
        "the end counts {runs} runs and {rows} rows, and {found_runs} and {found_rows} were read"
    )]
    Count {
        /// The runs that the end counts.
        runs: u64,
        /// The rows that the end counts.
        rows: u64,
        /// The runs that were read.
        found_runs: u64,
        /// The rows that were read.
        found_rows: u64,
    },
}

/// Reads the logs of an export one by one, and keeps one at a time. After an error it ends.
///
/// ```
/// use crashpoint::{CheckpointRow, ExportReader, ExportWriter, Payloads};
///
/// let mut text = Vec::new();
/// let mut export = ExportWriter::new(&mut text, Payloads::Kept)?;
/// export.begin_run("run-1")?;
/// export.row(CheckpointRow::new(0, "Start", "fetch"))?;
/// export.finish()?;
///
/// let runs: Vec<_> = ExportReader::new(&*text).collect::<Result<_, _>>()?;
/// assert_eq!(runs[0].workflow_id, "run-1");
/// assert_eq!(runs[0].rows, [CheckpointRow::new(0, "Start", "fetch")]);
///
/// // Half of the text is not an export.
/// let error = ExportReader::new(&text[..text.len() / 2]).find_map(Result::err);
/// assert!(error.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    limits: ExportLimits,
    /// The number of the newest line.
    line: u64,
    expected: Expected,
    runs: u64,
    rows: u64,
    buffer: Vec<u8>,
}

/// What the next line may be.
#[derive(Debug)]
enum Expected {
    Header,
    /// A run, or the end.
    Run(Payloads),
    /// The first row of a run that has begun.
    Rows(Payloads, String),
    /// Nothing more: the export has ended, or was refused.
    Nothing,
}

impl<R: BufRead> ExportReader<R> {
    /// Reads an export within the default limits.
    pub fn new(input: R) -> Self {
        Self::with_limits(input, ExportLimits::default())
    }

    /// Reads an export within other limits.
    pub fn with_limits(input: R, limits: ExportLimits) -> Self {
        Self {
            input,
            limits,
            line: 0,
            expected: Expected::Header,
            runs: 0,
            rows: 0,
            buffer: Vec::new(),
        }
    }

    fn next_run(&mut self) -> Result<Option<ExportedRun>, ExportFault> {
        loop {
            match std::mem::replace(&mut self.expected, Expected::Nothing) {
                Expected::Nothing => return Ok(None),
                Expected::Header => {
                    let payloads = self.header()?;
                    self.expected = Expected::Run(payloads);
                }
                Expected::Run(payloads) => match self.next_line()?.ok_or(ExportFault::Cut)? {
                    Line::Run(run) => self.expected = Expected::Rows(payloads, run.id),
                    Line::End(end) => return self.end(end.runs, end.rows).map(|()| None),
                    Line::Export(_) | Line::Row(_) => return Err(ExportFault::Misplaced),
                },
                Expected::Rows(payloads, id) => return self.rows_of(payloads, id).map(Some),
            }
        }
    }

    fn header(&mut self) -> Result<Payloads, ExportFault> {
        let first = self.next_line().map_err(|fault| match fault {
            ExportFault::NotALine(_) => ExportFault::NoHeader,
            other => other,
        });
        match first? {
            Some(Line::Export(header)) if header.version != VERSION => {
                Err(ExportFault::Version(header.version))
            }
            Some(Line::Export(header)) if header.redacted => Ok(Payloads::Redacted),
            Some(Line::Export(_)) => Ok(Payloads::Kept),
            Some(_) | None => Err(ExportFault::NoHeader),
        }
    }

    /// The log of a run, up to the line that begins the next run or ends the export.
    fn rows_of(
        &mut self,
        payloads: Payloads,
        workflow_id: String,
    ) -> Result<ExportedRun, ExportFault> {
        self.runs += 1;
        let mut rows: Vec<CheckpointRow> = Vec::new();
        let mut bytes = 0;
        loop {
            let line = self.next_line()?.ok_or(ExportFault::Cut)?;
            match line {
                Line::Row(row) => rows.push(self.counted(row, &mut bytes, &workflow_id)?),
                _ if rows.is_empty() => return Err(ExportFault::EmptyRun(workflow_id)),
                Line::Run(next) => {
                    self.expected = Expected::Rows(payloads, next.id);
                    break;
                }
                Line::End(end) => {
                    self.end(end.runs, end.rows)?;
                    break;
                }
                Line::Export(_) => return Err(ExportFault::Misplaced),
            }
        }
        Ok(ExportedRun {
            workflow_id,
            rows,
            payloads,
        })
    }

    fn counted(
        &mut self,
        row: RowLine,
        bytes: &mut usize,
        workflow_id: &str,
    ) -> Result<CheckpointRow, ExportFault> {
        self.rows += 1;
        *bytes += self.buffer.len();
        let run_bytes = self.limits.run_bytes;
        if *bytes > run_bytes {
            let workflow_id = workflow_id.to_owned();
            return Err(ExportFault::LongRun {
                workflow_id,
                run_bytes,
            });
        }
        Ok(row.into())
    }

    /// The end is the last line, and counts what was read.
    fn end(&mut self, runs: u64, rows: u64) -> Result<(), ExportFault> {
        let (found_runs, found_rows) = (self.runs, self.rows);
        if (runs, rows) != (found_runs, found_rows) {
            return Err(ExportFault::Count {
                runs,
                rows,
                found_runs,
                found_rows,
            });
        }
        match self.next_line()? {
            None => Ok(()),
            Some(_) => Err(ExportFault::Misplaced),
        }
    }

    /// The next line; none at the end of the text.
    fn next_line(&mut self) -> Result<Option<Line>, ExportFault> {
        self.line += 1;
        self.buffer.clear();
        let limit = self.limits.line_bytes;
        // One byte more than the limit, and the end of the line.
        let most = (limit as u64).saturating_add(2);
        let input = &mut self.input;
        input.take(most).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        if self.buffer.pop_if(|last| *last == b'\n').is_none() {
            // A line without its end may be the beginning of a longer line.
            let long = self.buffer.len() > limit;
            return Err(if long {
                ExportFault::LongLine(limit)
            } else {
                ExportFault::Cut
            });
        }
        if self.buffer.len() > limit {
            return Err(ExportFault::LongLine(limit));
        }
        let line = serde_json::from_slice(&self.buffer);
        line.map(Some).map_err(ExportFault::NotALine)
    }
}

impl<R: BufRead> Iterator for ExportReader<R> {
    type Item = Result<ExportedRun, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_run();
        if next.is_err() {
            self.expected = Expected::Nothing;
        }
        let line = self.line;
        next.map_err(|fault| ExportError { line, fault })
            .transpose()
    }
}
