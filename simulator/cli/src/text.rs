//! Numbers and bytes as words.

use textwrap::{Options, WordSplitter};

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

/// The longest line of a paragraph, in characters.
const LINE_LENGTH_MAX: usize = 79;

/// A paragraph in lines that a terminal does not have to break. Words stay whole.
pub(crate) fn wrapped(paragraph: &str) -> String {
    let options = Options::new(LINE_LENGTH_MAX)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(paragraph, options)
}
