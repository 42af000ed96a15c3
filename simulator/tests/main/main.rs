//! The simulator's tests, a module a topic.

mod mutants;
mod protocol;
mod support;
mod workloads;
