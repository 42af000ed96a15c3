//! Text that is not the engine's, in messages: an id, a label, a path or the message of a user's error
//! may be of any length, and the message of an error stays short.

use std::fmt::Display;

/// The longest quoted id, label or name, in characters. Longer ids are rare, and their beginning tells
/// most of them apart.
const NAME_CHARS_MAX: usize = 128;

/// The longest path and the longest message of somebody's error, in characters.
const TEXT_CHARS_MAX: usize = 1024;

/// The longest message of a store, in characters: it names an id, and a path or a cause.
const MESSAGE_CHARS_MAX: usize = 4 * TEXT_CHARS_MAX;

/// A name in quotes, escaped. A long name is cut, and its length follows.
pub(crate) fn quoted(name: &str) -> String {
    shortened(name, NAME_CHARS_MAX, |kept| format!("{kept:?}"))
}

/// A name without quotes. A long name is cut, and its length follows.
pub(crate) fn unquoted(name: &str) -> String {
    shortened(name, NAME_CHARS_MAX, str::to_owned)
}

/// A path, or the message of somebody's error. A long text is cut, and its length follows.
pub(crate) fn bounded(text: impl Display) -> String {
    shortened(&text.to_string(), TEXT_CHARS_MAX, str::to_owned)
}

/// The message of a store. A long message is cut, and its length follows.
pub(crate) fn bounded_message(message: &str) -> String {
    shortened(message, MESSAGE_CHARS_MAX, str::to_owned)
}

fn shortened(text: &str, chars_max: usize, shown: impl FnOnce(&str) -> String) -> String {
    match text.char_indices().nth(chars_max) {
        None => shown(text),
        Some((end, _)) => format!("{}… ({} bytes)", shown(&text[..end]), text.len()),
    }
}
