//! The libraries at work in workflows.

mod breaker;
mod rate_limit;
mod schedule;
