//! The parts of events: labels, and bytes that only a user can read.

use std::sync::Arc;

/// A state's or a task's name as the log holds it.
pub type Label = Arc<str>;

/// Opaque bytes of a user: an input, an output or a cursor.
pub type Bytes = Arc<[u8]>;
