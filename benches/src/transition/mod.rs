//! Runs that go round a state and end: a transition of a plain task, and nothing else.

pub mod ours;
pub mod reference;

/// Of one run.
pub const TRANSITIONS: u32 = 256;
