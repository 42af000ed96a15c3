//! Text on a terminal: numbers, instants, bytes, paragraphs and tables.

pub mod escape;
pub(crate) mod table;

use std::io::{self, IsTerminal as _};
use std::time::{Duration, UNIX_EPOCH};

pub(crate) use crashpoint_simulator::render::{counted, grouped};

use textwrap::{Options, WordSplitter};

/// The bytes of a blob as text.
pub(crate) fn blob(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where dates end for [`instant`]: the year 10000, in milliseconds since 1970-01-01 UTC.
const DATES_END_MS: u64 = 253_402_300_800_000;

/// An instant in UTC. An instant after the year 9999 has no date of four digits, so it stays a number
/// of milliseconds.
///
/// ```
/// use crashpoint_cli::text::instant;
///
/// assert_eq!(instant(1_767_225_600_000), "2026-01-01T00:00:00Z");
/// assert_eq!(instant(u64::MAX), "18446744073709551615 ms after 1970-01-01");
/// ```
pub fn instant(unix_ms: u64) -> String {
    if unix_ms >= DATES_END_MS {
        return format!("{unix_ms} ms after 1970-01-01");
    }
    let at = UNIX_EPOCH + Duration::from_millis(unix_ms);
    humantime::format_rfc3339_seconds(at).to_string()
}

/// The longest line of a paragraph, in characters.
pub(crate) const LINE_LENGTH_MAX: usize = 79;

/// Wraps a paragraph for a terminal of 80 columns. Words stay whole.
pub(crate) fn wrapped(paragraph: &str) -> String {
    let options = Options::new(LINE_LENGTH_MAX)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(paragraph, options)
}

/// Lines for standard output. On a terminal a line that is too long continues below its last column.
pub(crate) fn fitted(text: &str) -> String {
    if io::stdout().is_terminal() {
        fitted_to(text, textwrap::termwidth())
    } else {
        text.to_owned()
    }
}

/// Wraps lines at `width` characters. What is wrapped continues below the last column that begins in
/// the left half, where two spaces separate columns.
///
/// ```
/// use crashpoint_cli::text::fitted_to;
///
/// let line = "  life 1  sends  #0  claim at Charge, input 1999\n";
/// assert_eq!(fitted_to(line, 80), line);
/// let narrow = "  life 1  sends  #0  claim at Charge,\n                     input 1999\n";
/// assert_eq!(fitted_to(line, 42), narrow);
/// ```
pub fn fitted_to(text: &str, width: usize) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let (line, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |line| (line, "\n"));
        let begins = |at: &usize| line[..*at].ends_with("  ") && !line[*at..].starts_with(' ');
        let columns = line.char_indices().map(|(at, _)| at).filter(begins);
        let column = columns.take_while(|column| *column <= width / 2).last();
        let indent = " ".repeat(column.unwrap_or_default());
        let options = Options::new(width)
            .word_splitter(WordSplitter::NoHyphenation)
            .subsequent_indent(&indent);
        format!("{}{end}", textwrap::fill(line, options))
    });
    lines.collect()
}
