//! What comes from outside of the engine: code that may panic.

mod contain;

pub(crate) use contain::{contained, contained_future, drop_contained, panicked};
