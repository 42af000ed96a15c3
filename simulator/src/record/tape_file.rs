//! A tape as a file: for tapes that are too long for a token, and for a corpus.
//!
//! The file is text with one line for each draw, so people can read, compare and edit it:
//!
//! ```text
//! crashpoint tape 1
//! workload "order"
//! store memory
//! budget c1f1
//! draws 2
//! 0 of 4 "life1/append#0:before"
//! 1 of 3 "life1/append#0:unacked"
//! fingerprint 9f0c61d2
//! ```
//!
//! The number of draws and the fingerprint turn a truncated or changed file into an error, never
//! into another schedule.

use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

use crate::choices::{Draw, Tape};
use crate::fault::{BadBudget, Budget};
use crate::record::TextLimits;
use crate::sim::{Settings, StoreKind, UnknownStore};

/// The first words of every version.
const MAGIC: &str = "crashpoint tape";

const VERSION: &str = "1";

/// A tape with everything that its replay needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapeFile {
    /// The workload's name.
    pub workload: String,
    /// The store under the workload.
    pub store: StoreKind,
    /// The faults that were possible.
    pub budget: Budget,
    /// Every draw.
    pub tape: Tape,
}

impl TapeFile {
    /// The most that is read of a tape file. A long tape has some thousand draws, each on a line of less
    /// than a hundred bytes.
    pub const LIMITS: TextLimits = TextLimits {
        file_bytes: 64 << 20,
        line_bytes: 1 << 20,
    };

    /// The file of the simulation that drew `tape`.
    pub fn of(workload: &str, settings: &Settings, tape: &Tape) -> Self {
        Self {
            workload: workload.to_owned(),
            store: settings.store,
            budget: settings.budget,
            tape: tape.clone(),
        }
    }

    /// Writes the file, replacing any file at `path`.
    ///
    /// # Errors
    ///
    /// If the file system fails.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.to_string())
    }

    /// Parses the content of a tape file.
    ///
    /// # Errors
    ///
    /// If the version is unknown, or the content is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadTape> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            BadTape {
                line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
                what: BadLine::NoText,
            }
        })?;
        text.parse()
    }
}

impl fmt::Display for TapeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC} {VERSION}")?;
        writeln!(f, "workload {}", quoted(&self.workload))?;
        writeln!(f, "store {}", self.store)?;
        writeln!(f, "budget {}", self.budget)?;
        writeln!(f, "draws {}", self.tape.0.len())?;
        for Draw { label, n, chosen } in &self.tape.0 {
            writeln!(f, "{chosen} of {n} {}", quoted(label))?;
        }
        writeln!(f, "fingerprint {:08x}", self.tape.fingerprint())
    }
}

/// A text on one line, whatever it contains.
fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}

impl FromStr for TapeFile {
    type Err = BadTape;

    fn from_str(text: &str) -> Result<Self, BadTape> {
        let mut lines = Lines {
            lines: text.lines(),
            number: 0,
        };
        lines.field(MAGIC, |version| match version {
            VERSION => Ok(()),
            other => Err(BadLine::Version(beginning(other))),
        })?;
        let workload = lines.field("workload", |name| {
            unquoted(name).ok_or_else(|| BadLine::Text(beginning(name)))
        })?;
        let store: StoreKind = lines.field("store", |name| Ok(name.parse()?))?;
        let budget: Budget = lines.field("budget", |budget| Ok(budget.parse()?))?;
        let draws: usize = lines.field("draws", |count| {
            count.parse().map_err(|_| BadLine::Number(beginning(count)))
        })?;
        let mut tape = Tape::default();
        for _ in 0..draws {
            let line = lines.next("a draw")?;
            let draw = draw(line).ok_or_else(|| lines.bad(BadLine::Draw(beginning(line))))?;
            tape.0.push(draw);
        }
        let fingerprint = format!("{:08x}", tape.fingerprint());
        lines.field("fingerprint", |recorded| match recorded {
            same if same == fingerprint => Ok(()),
            other => Err(BadLine::Fingerprint {
                recorded: beginning(other),
                found: fingerprint,
            }),
        })?;
        match lines.next("the end") {
            Ok(more) => Err(lines.bad(BadLine::More(beginning(more)))),
            Err(_) => Ok(Self {
                workload,
                store,
                budget,
                tape,
            }),
        }
    }
}

/// `1 of 3 "life1/append#0:unacked"`
fn draw(line: &str) -> Option<Draw> {
    let (chosen, rest) = line.split_once(" of ")?;
    let (n, label) = rest.split_once(' ')?;
    let draw = Draw {
        label: unquoted(label)?.into(),
        n: n.parse().ok().filter(|n| *n >= 2)?,
        chosen: chosen.parse().ok()?,
    };
    (draw.chosen < draw.n).then_some(draw)
}

/// The beginning of a line, for a message: in a file that is no tape, a line can be as long as the file.
fn beginning(line: &str) -> String {
    const SHOWN_MAX: usize = 72;
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

fn unquoted(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// The remaining lines, and the number of the previous line.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a str, BadTape> {
        self.number += 1;
        let line = self.lines.next();
        line.ok_or_else(|| self.bad(BadLine::End(expected)))
    }

    /// Parses the value of the next line, which must begin with `name`.
    fn field<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Result<T, BadLine>,
    ) -> Result<T, BadTape> {
        let line = self.next(name)?;
        let value = line
            .strip_prefix(name)
            .and_then(|value| value.strip_prefix(' '));
        let value = value.ok_or_else(|| {
            let found = beginning(line);
            BadLine::Field {
                expected: name,
                found,
            }
        });
        value.and_then(read).map_err(|what| self.bad(what))
    }

    fn bad(&self, what: BadLine) -> BadTape {
        BadTape {
            line: self.number,
            what,
        }
    }
}

/// Why a text is not a tape file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadTape {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: BadLine,
}

/// What is wrong with a line of a tape's file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// The line is not UTF-8.
    #[error("not UTF-8: the file is damaged or is not a tape")]
    NoText,
    /// The file ends before the expected line.
    #[error("expected {0}, found the end of the file")]
    End(&'static str),
    /// The line is a different one.
    #[error("expected {expected:?} and a value, found {found:?}")]
    Field {
        /// The expected first word.
        expected: &'static str,
        /// The line.
        found: String,
    },
    /// The file has an unknown version.
    #[error("the tape has version {0:?}, this simulator reads version {VERSION}")]
    Version(String),
    /// The line has no text in quotes.
    #[error("expected a text in quotes, found {0:?}")]
    Text(String),
    /// The store is unknown.
    #[error(transparent)]
    Store(#[from] UnknownStore),
    /// The budget cannot be parsed.
    #[error(transparent)]
    Budget(#[from] BadBudget),
    /// The number cannot be parsed.
    #[error("expected a number, found {0:?}")]
    Number(String),
    /// The line is not a draw.
    #[error(
        "{0:?} is not a draw: expected CHOICE of N \"LABEL\", with CHOICE in 0..N and N at least 2"
    )]
    Draw(String),
    /// The draws were changed.
    #[error(
        "expected the fingerprint {recorded}, but the draws have {found}: the file was changed"
    )]
    Fingerprint {
        /// The fingerprint in the file.
        recorded: String,
        /// The fingerprint of the draws.
        found: String,
    },
    /// The file has further lines.
    #[error("expected the end of the file, found {0:?}")]
    More(String),
}
