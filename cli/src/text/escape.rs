//! Text from outside: paths, names, messages. Each medium has one function that makes it safe.

use std::path::Path;

use crashpoint_simulator::render::{counted, escaped_full};

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
