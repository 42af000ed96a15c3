//! What comes from outside of the engine: code that may panic, and text of any length.

mod bounded;
pub(crate) mod contain;

pub(crate) use bounded::{bounded, bounded_message, quoted, unquoted};
pub(crate) use contain::{contained, contained_future, drop_contained, panicked};
