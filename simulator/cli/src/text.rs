//! A user's text in full, safe to show.

use std::fmt::Write as _;

use crashpoint_simulator::render;

/// The longest text of a user's that is shown in full, in characters.
const WHOLE_MAX: usize = 2000;

/// `text` with everything that is not plainly visible written as an escape, cut only where it is
/// longer than anybody reads; the rest is counted.
///
/// ```
/// use crashpoint::text::whole;
///
/// assert_eq!(whole("a\u{202e}b\n"), "a\\u{202e}b\\n");
/// assert!(whole(&"x".repeat(2100)).ends_with("x... and 100 more characters"));
/// ```
pub fn whole(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text.chars();
    let mut buffer = [0; 4];
    for character in rest.by_ref().take(WHOLE_MAX) {
        whole.push_str(&render::escaped(character.encode_utf8(&mut buffer)));
    }
    let left = rest.count();
    if left > 0 {
        _ = write!(whole, "... and {left} more characters");
    }
    whole
}

/// The bytes of a blob as text.
pub(crate) fn blob(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `1 schedule`, `1,204 schedules`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with its thousands apart: `1,204`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
