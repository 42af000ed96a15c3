//! What the engine leaves to libraries: each module is one way to use a well-kept crate in a workflow, with its test.
//!
//! - [`rate_limit`]: `governor` says when a task may begin, and a task that may not is tried again.
//! - [`breaker`]: `recloser` keeps tasks away from a receiver that fails.
//! - [`schedule`]: `croner` names the instants at which a workflow begins, and the ids make each begin once.

pub mod breaker;
pub mod rate_limit;
pub mod schedule;
