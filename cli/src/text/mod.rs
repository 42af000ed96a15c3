//! Text on a terminal: numbers, bytes, paragraphs and tables.

pub(crate) mod table;

pub(crate) use crashpoint_simulator::render::{counted, grouped};
use textwrap::{Options, WordSplitter};

/// The bytes of a blob as text.
pub(crate) fn blob(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
