//! Logs outside of a store: an export is a text with one JSON value on each line, and [`check_logs`]
//! holds its logs against a workflow.
//!
//! Nothing here runs a task, claims a run or writes to a store.

mod check;
mod line;
mod reader;
mod redact;
mod writer;

pub use check::{LogCheck, LogProblem, MisfitLog, check_logs};
pub use reader::{ExportError, ExportFault, ExportLimits, ExportReader, ExportedRun};
pub use writer::{ExportWriter, Payloads};

/// The version of the text.
const VERSION: u32 = 1;
