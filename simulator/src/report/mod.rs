//! A simulation in words for people, and line by line for tools.

pub mod render;
pub mod scrubber;
pub mod steps;
pub mod trace;
