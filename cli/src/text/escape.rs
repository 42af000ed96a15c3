//! Text from outside: paths, names, messages. Each medium has one function that makes it safe.

use std::io::{self, Write};
use std::path::Path;

use crashpoint_simulator::render::{counted, escaped_full, is_invisible};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The most characters of a message that are shown.
const MESSAGE_MAX: usize = 2000;

/// A path for a terminal, on one line.
pub(crate) fn path(path: &Path) -> String {
    escaped_full(&path.display().to_string())
}

/// A message for a terminal, on one line and cut if it is long. It may quote input that is escaped
/// already, so backslashes stay as they are.
///
/// ```
/// use crashpoint_cli::text::escape::message;
///
/// assert_eq!(message("no run \"a\\n\u{1b}[2J\""), "no run \"a\\n\\u{1b}[2J\"");
/// assert!(message(&"x".repeat(3000)).ends_with("x... and 1,000 more characters"));
/// ```
pub fn message(text: &str) -> String {
    let end = text.char_indices().nth(MESSAGE_MAX);
    let (shown, rest) = text.split_at(end.map_or(text.len(), |(end, _)| end));
    let parts: Vec<String> = shown.split('\\').map(escaped_full).collect();
    let mut message = parts.join("\\");
    let more = rest.chars().count() as u64;
    if more > 0 {
        message.push_str(&format!("... and {}", counted(more, "more character")));
    }
    message
}

/// A terminal: a writer of lines in which every invisible character becomes an escape. What is written
/// to it has escaped the line breaks of its input already; this is the last guard.
pub(crate) struct Terminal<W>(pub(crate) W);

impl<W: Write> Write for Terminal<W> {
    /// Each call has whole characters, as those of `write!` do; other bytes are replaced.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        for line in text.split_inclusive('\n') {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            if line.contains(is_invisible) {
                let escape = |character: char| match is_invisible(character) {
                    true => character.escape_unicode().to_string(),
                    false => character.to_string(),
                };
                let escaped: String = line.chars().map(escape).collect();
                self.0.write_all(escaped.as_bytes())?;
            } else {
                self.0.write_all(line.as_bytes())?;
            }
            self.0.write_all(end.as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// JSON on one line, with every invisible character of a text as `\uXXXX`: the same document for a
/// parser, and safe to print.
///
/// # Errors
///
/// If a value can't be serialized.
///
/// # Panics
///
/// Never: the serializer writes UTF-8.
///
/// ```
/// use crashpoint_cli::text::escape::json;
///
/// assert_eq!(json(&["a\u{7f}\u{202e}b"]).expect("plain data"), r#"["a\u007f\u202eb"]"#);
/// ```
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Visible))?;
    Ok(String::from_utf8(bytes).expect("the serializer writes UTF-8"))
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for part in fragment.split_inclusive(is_invisible) {
            let last = part.chars().next_back().filter(|last| is_invisible(*last));
            let visible = part.len() - last.map_or(0, char::len_utf8);
            writer.write_all(&part.as_bytes()[..visible])?;
            for unit in last
                .map(|last| last.encode_utf16(&mut [0; 2]).to_vec())
                .unwrap_or_default()
            {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// Markdown, for a cell or a line. Pairs of single backticks still make code; everything else is shown
/// literally.
pub(crate) fn markdown(text: &str) -> String {
    let mut markdown = String::new();
    let mut in_code = false;
    // Runs of backticks pair by their lengths, so that with a longer run the pairs would be others.
    let closes = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
    for character in escaped_full(text).chars() {
        match character {
            '`' if closes => in_code = !in_code,
            '|' => markdown.push('\\'),
            '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '#' | '&' | '`' | '~' if !in_code => {
                markdown.push('\\');
            }
            _ => {}
        }
        markdown.push(character);
    }
    markdown
}

/// XML, on one line. The writer of the document escapes what is markup; this escapes the characters that
/// no document may have.
pub(crate) fn xml(text: &str) -> String {
    escaped_full(text)
}
