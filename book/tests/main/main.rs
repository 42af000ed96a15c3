//! What the README and the book show is real: a failure, and the kinds of rows.

mod failure;
mod log_table;
